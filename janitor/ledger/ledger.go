package ledger

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/journal"
)

// How a container went.
const (
	Removed  = "removed"  // Docker said so, and the next listing agreed
	Vanished = "vanished" // listings without it, and never a word
)

// An Entry is one container that was seen on this host.
type Entry struct {
	ID      inventory.ID
	Service string
	Seen    time.Time // first
	Event   time.Time // of its destroy event; zero: none was seen
	Missing time.Time // of the first listing without it; zero: the newest has it
	Gone    time.Time // zero: it exists, or that is not certain
	How     string    // Removed or Vanished, once it is gone
}

// unexplained reports whether the container is absent and nobody said why.
func (e Entry) unexplained() bool {
	return e.Gone.IsZero() && !e.Missing.IsZero() && e.Event.IsZero()
}

const (
	confirm     = 10 * time.Minute    // how long an unexplained absence must last
	massConfirm = 24 * time.Hour      // the same when many vanish at once
	memory      = 90 * 24 * time.Hour // how long a container is remembered
	compactSize = 4 << 20             // bytes of the journal
)

// A mass is at least this many vanished containers, and this share of those
// that were known.
const (
	massCount = 3
	massShare = 0.2
)

// A Ledger may be used from many goroutines.
type Ledger struct {
	mu      sync.Mutex    // guards the fields below
	mass    time.Duration // how long the absence of many at once must last; 0: massConfirm
	path    string
	file    *journal.File
	bad     int
	entries map[inventory.ID]*Entry
	holds   map[string]time.Time
	root    string    // Docker's data root
	newest  time.Time // of everything noted
	listed  time.Time // of the newest listing
	short   uint64    // listings that turned out to be short
	changed chan struct{}
	err     error // of the last write; nil once one succeeds
}

// A record is one line of the journal.
type record struct {
	Op      string       `json:"op"`
	ID      inventory.ID `json:"id,omitempty"`
	Service string       `json:"service,omitempty"`
	At      time.Time    `json:"at,omitzero"`
	How     string       `json:"how,omitempty"`
	Root    string       `json:"root,omitempty"`
	Folder  string       `json:"folder,omitempty"`
}

const (
	opSeen    = "seen"
	opEvent   = "event"
	opMissing = "missing"
	opBack    = "back"
	opGone    = "gone"
	opRoot    = "root"
	opHold    = "hold"
)

// Open opens or makes the ledger at path.
func Open(path string) (*Ledger, error) {
	l := &Ledger{path: path, entries: map[inventory.ID]*Entry{}, holds: map[string]time.Time{}}
	file, err := journal.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	l.file = file
	l.bad, err = file.Replay(func(b []byte) error {
		var r record
		if err := json.Unmarshal(b, &r); err != nil {
			return err
		}
		l.apply(r)
		return nil
	})
	if err == nil && file.Size() > compactSize {
		err = l.compact()
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return l, nil
}

// Expect says how long the unexplained absence of many containers at once must
// last before they count as gone. Without it, that is a day.
func (l *Ledger) Expect(mass time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mass = max(mass, confirm)
}

// Close closes the file.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// apply takes one record into the state. The caller holds mu.
func (l *Ledger) apply(r record) {
	switch r.Op {
	case opRoot:
		l.root = r.Root
		return
	case opHold:
		l.holds[r.Folder] = r.At
		return
	case opSeen:
		if l.entries[r.ID] == nil && r.ID.Valid() {
			l.entries[r.ID] = &Entry{ID: r.ID, Service: r.Service, Seen: r.At}
		}
	}
	e := l.entries[r.ID]
	if e == nil {
		return
	}
	switch r.Op {
	case opEvent:
		e.Event = r.At
	case opMissing:
		e.Missing = r.At
	case opBack:
		e.Missing, e.Event, e.Gone, e.How = time.Time{}, time.Time{}, time.Time{}, ""
	case opGone:
		e.Gone, e.How = r.At, r.How
	}
	if r.At.After(l.newest) {
		l.newest = r.At
	}
}

// note applies records and appends them without waiting for the disk. The
// caller holds mu.
func (l *Ledger) note(records []record) {
	if len(records) == 0 {
		return
	}
	values := make([]any, len(records))
	for i, r := range records {
		l.apply(r)
		values[i] = r
	}
	l.err = l.file.Append(values...)
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// Hold keeps a folder, given by its path, until a moment, whatever becomes of
// its container. It returns once that is on disk.
func (l *Ledger) Hold(folder string, until time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := record{Op: opHold, Folder: folder, At: until.UTC()}
	l.apply(r)
	if err := l.file.Write(r); err != nil {
		return fmt.Errorf("hold %q: %w", folder, err)
	}
	return nil
}

// compact writes the journal anew without what is forgotten.
func (l *Ledger) compact() error {
	next := l.path + ".next"
	if err := os.RemoveAll(next); err != nil {
		return err
	}
	fresh, err := journal.Open(next)
	if err != nil {
		return err
	}
	if err := fresh.Write(l.records()...); err != nil {
		fresh.Close()
		return err
	}
	if err := os.Rename(next, l.path); err != nil {
		fresh.Close()
		return err
	}
	old := l.file
	l.file = fresh
	return old.Close()
}

// records says in the fewest records what the ledger knows, less what is long
// gone.
func (l *Ledger) records() []any {
	all := []any{record{Op: opRoot, Root: l.root}}
	for _, id := range slices.Sorted(maps.Keys(l.entries)) {
		e := l.entries[id]
		if !e.Gone.IsZero() && l.newest.Sub(e.Gone) > memory {
			delete(l.entries, id)
			continue
		}
		all = append(all, record{Op: opSeen, ID: id, Service: e.Service, At: e.Seen})
		if !e.Event.IsZero() {
			all = append(all, record{Op: opEvent, ID: id, At: e.Event})
		}
		if !e.Missing.IsZero() {
			all = append(all, record{Op: opMissing, ID: id, At: e.Missing})
		}
		if !e.Gone.IsZero() {
			all = append(all, record{Op: opGone, ID: id, At: e.Gone, How: e.How})
		}
	}
	for folder, until := range l.holds {
		if until.After(l.newest) {
			all = append(all, record{Op: opHold, Folder: folder, At: until})
		}
	}
	return all
}
