package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A View is the ledger at one moment, for the planner. It does not change.
type View struct {
	Entries map[inventory.ID]Entry
	Holds   map[string]time.Time // folder path to the end of its hold
	Root    string               // Docker's data root; empty: no listing was seen yet
	Newest  time.Time            // of everything noted: the clock was here already
	Short   uint64               // how often a listing turned out to have been short
	Bad     int                  // damaged lines
	Fault   string               // why the last note is not on disk; empty if it is
}

// View returns the ledger as it is now.
func (l *Ledger) View() View {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := View{
		Entries: make(map[inventory.ID]Entry, len(l.entries)), Holds: maps.Clone(l.holds),
		Root: l.root, Newest: l.newest, Short: l.short, Bad: l.bad,
	}
	for id, e := range l.entries {
		v.Entries[id] = *e
	}
	if l.err != nil {
		v.Fault = l.err.Error()
	}
	return v
}

// Named returns the entries that a folder's name of 12 or 64 digits can mean.
func (v View) Named(name string) []Entry {
	if e, ok := v.Entries[inventory.ID(name)]; ok {
		return []Entry{e}
	}
	var found []Entry
	if len(name) < inventory.IDLen {
		for id, e := range v.Entries {
			if strings.HasPrefix(string(id), name) {
				found = append(found, e)
			}
		}
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

// Pin says which data root Docker is expected to have from now on, whatever
// was seen before.
func (l *Ledger) Pin(root string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if root == l.root {
		return nil
	}
	r := record{Op: opRoot, Root: root}
	l.apply(r)
	if err := l.file.Write(r); err != nil {
		return fmt.Errorf("pin data root %q: %w", root, err)
	}
	return nil
}

// Explained waits until nothing is unexplained, or ctx ends: a destroy event
// may be behind the listing that shows its effect. It reports whether nothing
// is.
func (l *Ledger) Explained(ctx context.Context) bool {
	for {
		l.mu.Lock()
		open := false
		for _, e := range l.entries {
			open = open || e.unexplained()
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		if !open {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}
