package ledger

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A View is the ledger at one moment, for the planner. It is shared and must
// not be changed.
type View struct {
	Entries   map[inventory.ID]Entry
	Holds     map[string]time.Time // folder path to the end of its hold
	Root      string               // Docker's data root; empty: no listing was seen yet
	Made      time.Time            // when the ledger began
	Newest    time.Time            // of everything noted: the clock was here already
	ClockBack time.Time            // when the clock last went back; zero: never
	Short     uint64               // how often a listing turned out to have been short
	Bad       int                  // damaged lines
	Fault     string               // why the last note is not on disk; empty if it is

	ids []inventory.ID // sorted
}

// NewView makes a view of what is given, for who plans without a ledger.
func NewView(entries map[inventory.ID]Entry, holds map[string]time.Time) View {
	return View{Entries: entries, Holds: holds, ids: slices.Sorted(maps.Keys(entries))}
}

// View returns the ledger as it is now.
func (l *Ledger) View() View {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.view == nil {
		entries := make(map[inventory.ID]Entry, len(l.entries))
		for id, e := range l.entries {
			entries[id] = *e
		}
		v := NewView(entries, maps.Clone(l.holds))
		v.Root = l.root
		l.view = &v
	}
	v := *l.view
	v.Newest, v.ClockBack, v.Short, v.Bad = l.newest, l.clockBack, l.short, l.bad
	v.Made = l.made
	if l.err != nil {
		v.Fault = l.err.Error()
	}
	return v
}

// Named returns the entries that a folder's name of 12 or 64 digits can mean,
// sorted by ID.
func (v View) Named(name string) []Entry {
	var found []Entry
	first, _ := slices.BinarySearch(v.ids, inventory.ID(name))
	for _, id := range v.ids[first:] {
		if !strings.HasPrefix(string(id), name) {
			break
		}
		found = append(found, v.Entries[id])
	}
	return found
}

// Unexplained returns the containers that are absent without a word, sorted by
// ID.
func (v View) Unexplained() []Entry {
	var found []Entry
	for _, e := range v.Entries {
		if e.unexplained() {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// Explained waits until no container is unexplained that the newest listing is
// the first to lack, or until ctx ends: a destroy event may be behind the
// listing that shows its effect. It reports whether nothing is unexplained.
func (l *Ledger) Explained(ctx context.Context) bool {
	for {
		unexplained, fresh, changed := l.watch()
		if !fresh {
			return !unexplained
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}

// watch reports whether there are unexplained containers, whether there are
// some that an event may still explain, and returns word of a change.
func (l *Ledger) watch() (unexplained, fresh bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.open {
		if e.unexplained() {
			unexplained = true
			fresh = fresh || l.last.Sub(e.Missing) < lateEvent
		}
	}
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return unexplained, fresh, l.changed
}
