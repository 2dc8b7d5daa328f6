package logs_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/logs"
)

// J5: sweeps, undos and questions may come all at once, while the purger runs:
// the living keep their folders, and a folder of the dead is in its place, in
// the yard, or purged and reported.
func TestJ5AllMayComeAtOnce(t *testing.T) {
	const containers = 60
	r := newRig(t)
	paths := r.many(containers)
	alive := []string{r.run(1001), r.run(1002), r.run(1003)}
	r.list()
	r.later(2 * time.Hour)
	r.sweeper.Undo = 0

	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan error, 1)
	go func() { running <- r.sweeper.Run(ctx) }()

	var mu sync.Mutex // guards purged
	var purged []string
	var workers sync.WaitGroup
	each := func(n int, act func()) {
		workers.Go(func() {
			for range n {
				act()
			}
		})
	}
	for range 2 {
		each(6, func() {
			report, err := r.sweeper.Sweep(t.Context(), logs.Options{Purge: true})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, p := range report.Purged {
				purged = append(purged, p.Path)
			}
		})
		each(6, func() {
			_, _, err := r.sweeper.Restore(t.Context(), logs.Selector{Last: true}, "test")
			if err != nil && !errors.Is(err, logs.ErrNothing) {
				t.Error(err)
			}
		})
		each(10, func() {
			if states := r.sweeper.RootStates(); len(states) != 1 || states[0].Fault != "" {
				t.Errorf("roots are %+v", states)
			}
			r.sweeper.Plan(t.Context())
			r.sweeper.Yard()
			r.sweeper.Stats()
			if _, err := r.sweeper.Why(t.Context(), paths[0]); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	cancel()
	if err := <-running; err != nil {
		t.Error(err)
	}
	for _, path := range alive {
		r.stays(path, "its container runs")
	}
	for _, e := range r.events {
		if e.Type == "logs.purged" && !slices.Contains(purged, e.Folder) {
			purged = append(purged, e.Folder) // by Run
		}
	}
	slices.Sort(purged)
	purged = slices.Compact(purged)
	there := len(r.sweeper.Yard())
	for _, path := range paths {
		if exists(path) {
			there++
		}
	}
	if len(purged)+there != containers {
		t.Errorf("%d purged and %d still there, want %d together", len(purged), there, containers)
	}
	if err := r.audit.Verify(); err != nil {
		t.Error(err)
	}
}

// A container that turns up while its folder waits in the yard gets it back,
// even when nobody asks for it.
func TestWhoTurnsUpDuringTheUndoWindowGetsTheFolderBack(t *testing.T) {
	r := newRig(t)
	path := r.dead(1)
	want := inode(t, path)
	r.later(2 * time.Hour)
	r.sweep()
	r.goes(path)
	r.mu.Lock()
	r.exist[id(1)] = inventory.Exited
	r.mu.Unlock()
	r.later(2 * time.Hour)
	if report := r.sweep(); len(report.Purged) > 0 {
		t.Errorf("purged %+v", report.Purged)
	}
	if got := inode(t, path); got != want {
		t.Errorf("inode %d came back, want %d", got, want)
	}
}
