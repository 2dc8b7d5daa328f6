package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
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
	Many    bool      // it went missing together with many others
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
	memory      = 90 * 24 * time.Hour // how long a container that went is remembered
	compactSize = 4 << 20             // bytes of the journal from which it is written anew
	room        = 1 << 20             // bytes set aside for what comes next, so that it can be written on a full disk
	skew        = 5 * time.Minute     // how much older than what was noted a listing may be before the clock is to blame
	lateEvent   = 10 * time.Second    // how far a destroy event can be behind the listing that shows its effect
)

// A mass is at least this many vanished containers, and this share of those
// that were known.
const (
	massCount = 3
	massShare = 0.2
)

// A Ledger may be used from many goroutines.
type Ledger struct {
	mu        sync.Mutex    // guards the fields below
	mass      time.Duration // how long the absence of many at once must last; 0: massConfirm
	path      string
	file      *journal.File
	compactAt int64 // size of the file
	bad       int
	entries   map[inventory.ID]*Entry
	open      map[inventory.ID]*Entry    // those that are not gone
	listed    map[inventory.ID]time.Time // the newest listing that named it, since the start
	holds     map[string]time.Time
	root      string    // Docker's data root
	made      time.Time // when the ledger began
	newest    time.Time // of everything noted
	last      time.Time // of all listings since the start
	clockBack time.Time // when the clock last went back; zero: never
	short     uint64    // listings that turned out to be short
	view      *View     // of the state as it is; nil: it has changed since
	changed   chan struct{}
	err       error // of the last write; nil once one succeeds
}

// Open opens or makes the ledger at path.
func Open(path string) (*Ledger, error) {
	l := &Ledger{
		path: path, compactAt: compactSize,
		entries: map[inventory.ID]*Entry{}, open: map[inventory.ID]*Entry{},
		listed: map[inventory.ID]time.Time{}, holds: map[string]time.Time{},
	}
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
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger: %w", err), l.file.Close())
	}
	l.err = l.tidy() // on a full disk the old file goes on
	if l.file.Reserve(room); l.made.IsZero() {
		l.begin()
	}
	return l, nil
}

// begin notes when the ledger was made. One from before that was noted began no
// later than it first saw a container.
func (l *Ledger) begin() {
	made := time.Now().UTC()
	for _, e := range l.entries {
		if e.Seen.Before(made) {
			made = e.Seen
		}
	}
	l.note(record{Op: opMade, At: made})
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

// note applies records and appends them. Most are left to the kernel: to lose
// one makes a container less known or not yet gone. Those that make one live
// again are on disk when it returns. The caller holds mu.
func (l *Ledger) note(records ...record) {
	if len(records) == 0 {
		return
	}
	values := make([]any, len(records))
	for i, r := range records {
		l.apply(r)
		values[i] = r
	}
	if slices.ContainsFunc(records, record.matters) {
		l.err = l.file.Write(values...)
	} else {
		l.err = l.file.Append(values...)
	}
	if l.err == nil {
		l.err = l.tidy()
		l.file.Reserve(room)
	}
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// keep applies a record and returns once it is on disk.
func (l *Ledger) keep(r record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.apply(r)
	defer l.file.Reserve(room)
	return l.file.Write(r)
}

// Hold keeps a folder, given by its path, until a moment, whatever becomes of
// its container. It returns once that is on disk.
func (l *Ledger) Hold(folder string, until time.Time) error {
	if err := l.keep(record{Op: opHold, Folder: folder, At: until.UTC()}); err != nil {
		return fmt.Errorf("hold %q: %w", folder, err)
	}
	return nil
}

// Pin says which data root Docker is expected to have from now on, whatever
// was seen before.
func (l *Ledger) Pin(root string) error {
	if l.View().Root == root {
		return nil
	}
	if err := l.keep(record{Op: opRoot, Root: root}); err != nil {
		return fmt.Errorf("pin data root %q: %w", root, err)
	}
	return nil
}
