package ledger

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/journal"
)

// A record is one line of the journal.
type record struct {
	Op      string       `json:"op"`
	ID      inventory.ID `json:"id,omitempty"`
	Service string       `json:"service,omitempty"`
	At      time.Time    `json:"at,omitzero"`
	Many    bool         `json:"many,omitempty"`
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
	opClock   = "clock" // it went back
	opMade    = "made"
)

// matters reports whether to lose the record could make something go earlier.
func (r record) matters() bool {
	return r.Op == opBack || r.Op == opRoot || r.Op == opClock || r.Op == opMade
}

// apply takes one record into the state. The caller holds mu.
func (l *Ledger) apply(r record) {
	l.view = nil
	switch r.Op {
	case opRoot:
		l.root = r.Root
		return
	case opHold:
		l.holds[r.Folder] = r.At
		return
	case opClock:
		l.wind(r.At)
		return
	case opMade:
		l.made = r.At
		return
	case opSeen:
		if l.entries[r.ID] == nil && r.ID.Valid() {
			e := &Entry{ID: r.ID, Service: r.Service, Seen: r.At}
			l.entries[r.ID], l.open[r.ID] = e, e
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
		e.Missing, e.Many = r.At, r.Many
	case opBack:
		*e = Entry{ID: e.ID, Service: e.Service, Seen: e.Seen}
		l.open[r.ID] = e
	case opGone:
		e.Gone, e.How = r.At, r.How
		delete(l.open, r.ID)
	}
	if wall(r.At).After(wall(l.newest)) {
		l.newest = r.At
	}
}

// wall is a time as the host's clock says it. Times that were taken since the
// start also count by a clock that nobody sets, and how long something lasted
// is measured by that one where it can be.
func wall(t time.Time) time.Time { return t.Round(0) }

// wind takes back what was noted for a time that is yet to come: what is gone
// went now, and what is missing has been since now.
func (l *Ledger) wind(now time.Time) {
	for _, e := range l.entries {
		for _, t := range []*time.Time{&e.Seen, &e.Event, &e.Missing, &e.Gone} {
			if wall(*t).After(wall(now)) {
				*t = now
			}
		}
	}
	if wall(l.made).After(wall(now)) {
		l.made = now
	}
	l.newest, l.last, l.clockBack = now, now, now
}

// tidy writes the journal anew, without what is forgotten, once it has grown.
func (l *Ledger) tidy() error {
	if l.file.Size() < l.compactAt {
		return nil
	}
	err := l.compact()
	l.compactAt = max(compactSize, 2*l.file.Size())
	return err
}

func (l *Ledger) compact() error {
	for id, e := range l.entries {
		if !e.Gone.IsZero() && l.newest.Sub(e.Gone) > memory {
			delete(l.entries, id)
			l.view = nil
		}
	}
	// Not as soon as they end: the clock may have been ahead, and go back.
	maps.DeleteFunc(l.holds, func(_ string, until time.Time) bool { return l.newest.Sub(until) > memory })
	next := l.path + ".next"
	if err := kernel.Unlinkat(unix.AT_FDCWD, next, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	fresh, err := journal.Open(next)
	if err != nil {
		return err
	}
	err = fresh.Write(l.records()...)
	if err == nil {
		err = kernel.Renameat2(unix.AT_FDCWD, next, unix.AT_FDCWD, l.path, 0)
	}
	if err != nil {
		return errors.Join(err, fresh.Close(), kernel.Unlinkat(unix.AT_FDCWD, next, 0))
	}
	old := l.file
	l.file = fresh
	return errors.Join(syncFolder(filepath.Dir(l.path)), old.Close())
}

// syncFolder returns once the names in a folder are on disk.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(kernel.Fsync(int(dir.Fd())), dir.Close())
}

// records says in the fewest records what the ledger knows.
func (l *Ledger) records() []any {
	all := []any{record{Op: opRoot, Root: l.root}, record{Op: opMade, At: l.made}}
	for _, id := range slices.Sorted(maps.Keys(l.entries)) {
		e := l.entries[id]
		all = append(all, record{Op: opSeen, ID: id, Service: e.Service, At: e.Seen})
		if !e.Event.IsZero() {
			all = append(all, record{Op: opEvent, ID: id, At: e.Event})
		}
		if !e.Missing.IsZero() {
			all = append(all, record{Op: opMissing, ID: id, At: e.Missing, Many: e.Many})
		}
		if !e.Gone.IsZero() {
			all = append(all, record{Op: opGone, ID: id, At: e.Gone, How: e.How})
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(l.holds)) {
		all = append(all, record{Op: opHold, Folder: folder, At: l.holds[folder]})
	}
	return all
}
