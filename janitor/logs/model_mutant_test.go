package logs_test

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/logs"
)

// A mutant makes the world or the daemon of a model wrong in a way that the
// model is not told of, and so must find out.
type mutant struct {
	open     func(*logs.Sweeper)
	list     func(*model, *inventory.Listing, error) error
	call     func(*model, kernel.Call, func() error) func() error
	unsynced bool // nothing gets to the disk by being synced
}

// The model check is worth what it would catch.
func TestTheModelNoticesEachMutant(t *testing.T) {
	mutants := map[string]struct {
		mutant
		want string // in the error
	}{
		"an event of a living container is believed": {mutant{list: func(m *model, l *inventory.Listing, err error) error {
			return hide(m, l, err, func(c *container) bool { return c.odd })
		}}, "its container lives"},
		"the second look misses who came back": {mutant{list: func(m *model, l *inventory.Listing, err error) error {
			return hide(m, l, err, func(c *container) bool { return c.since == 2 })
		}}, "its container lives"},
		"the third look misses who came back": {mutant{list: func(m *model, l *inventory.Listing, err error) error {
			return hide(m, l, err, func(c *container) bool { return c.since == 3 })
		}}, "its container lives"},
		"an error is taken for an answer":   {mutant{list: func(*model, *inventory.Listing, error) error { return nil }}, "J2"},
		"a process hides what it has open":  {mutant{list: hideFiles}, "has a file of it open"},
		"there is no grace":                 {mutant{open: func(s *logs.Sweeper) { s.Policy.Grace = 0 }}, "after its container"},
		"there is no window":                {mutant{open: func(s *logs.Sweeper) { s.Undo = 0 }}, "without a window"},
		"the window is a minute":            {mutant{open: func(s *logs.Sweeper) { s.Undo /= 60 }}, "after it was removed"},
		"a restored folder is not held":     {mutant{open: func(s *logs.Sweeper) { s.Policy.UnknownGrace = 0 }}, "was to be kept"},
		"removals are not written down":     {mutant{call: swallow("/audit/", "removed")}, "J6"},
		"deletions are not written down":    {mutant{call: swallow("/audit/", "purged")}, "J6"},
		"burials are lost":                  {mutant{call: swallow("/.berth/journal", "bury")}, ""},
		"the beginnings of purges are lost": {mutant{call: swallow("/.berth/journal", "purge")}, ""},
		"what was synced is lost":           {mutant{unsynced: true}, ""},
	}
	names := slices.Sorted(maps.Keys(mutants))
	var workers sync.WaitGroup
	busy := make(chan struct{}, modelHosts)
	for i, m := range newHosts(t, len(names)) {
		name, tt := names[i], mutants[names[i]]
		workers.Go(func() {
			busy <- struct{}{}
			defer func() { <-busy }()
			m.mutant = tt.mutant
			m.run(1, new(atomic.Uint64), 60_000/lifetime)
			if m.err == nil {
				t.Errorf("%s: it was not noticed", name)
				return
			}
			said, _, _ := strings.Cut(m.err.Error(), "\nthe last acts")
			if !strings.Contains(said, tt.want) {
				t.Errorf("%s: noticed by %q, want something with %q", name, said, tt.want)
			}
			t.Logf("%s: after %d steps: %s", name, m.count.steps.Load(), said)
		})
	}
	workers.Wait()
}

// hide leaves containers out of a listing, and takes their processes out of
// the table.
func hide(m *model, l *inventory.Listing, err error, which func(*container) bool) error {
	hidden := func(id inventory.ID) bool { return which(m.containers[id]) }
	l.Containers = slices.DeleteFunc(l.Containers, func(c inventory.Container) bool { return hidden(c.ID) })
	for _, id := range m.ids {
		if c := m.containers[id]; hidden(id) && c.pid != 0 && c.listed {
			m.must(os.RemoveAll(m.proc(c.pid)))
		}
	}
	return err
}

// hideFiles keeps what processes have open out of the table.
func hideFiles(m *model, _ *inventory.Listing, err error) error {
	for _, f := range m.order {
		if f.held != 0 {
			m.must(os.RemoveAll(m.proc(f.held) + "/fd"))
		}
	}
	return err
}

// swallow has the kernel not write lines with a word into some file, and say
// that it has.
func swallow(file, word string) func(*model, kernel.Call, func() error) func() error {
	return func(_ *model, c kernel.Call, do func() error) func() error {
		if c.Name == "write" && bytes.Contains(c.Data, []byte(`:"`+word+`"`)) && strings.Contains(place(c), file) {
			return func() error { return nil }
		}
		return do
	}
}
