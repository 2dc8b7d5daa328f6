package logs_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/berth-dev/berth/janitor/logs"
)

func TestUndoBringsTheSameFolderBackAndKeepsIt(t *testing.T) {
	r := newRig(t)
	path := r.dead(1)
	want := inode(t, path)
	r.later(2 * time.Hour)
	r.sweep()
	r.goes(path)
	restored, failed, err := r.sweeper.Restore(t.Context(), logs.Selector{Object: string(id(1))}, "uid 0")
	if err != nil || len(restored) != 1 || len(failed) != 0 {
		t.Fatalf("restored %v, failed %v, %v", restored, failed, err)
	}
	if got := inode(t, path); got != want {
		t.Errorf("inode %d came back, want %d", got, want)
	}
	r.later(3 * time.Hour)
	if d := r.sweep().Plan.Decisions[0]; d.Code != logs.CodeHeld {
		t.Errorf("the next sweep says %s: %s", d.Code, d.Reason)
	}
	r.stays(path, "it was restored")
	r.later(48 * time.Hour)
	r.sweep()
	r.goes(path)
}

func TestUndoSelectsByPathLastSweepAndPlan(t *testing.T) {
	r := newRig(t)
	first := r.dead(1)
	r.later(2 * time.Hour)
	plan := r.sweep().Plan.Hash()
	second, third := r.dead(2), r.dead(3)
	r.later(2 * time.Hour)
	r.sweeper.Undo = 10 * time.Hour
	r.sweep()
	for _, step := range []struct {
		selector logs.Selector
		back     []string
	}{
		{logs.Selector{Last: true}, []string{second, third}},
		{logs.Selector{Plan: plan}, []string{first}},
	} {
		if _, _, err := r.sweeper.Restore(t.Context(), step.selector, "test"); err != nil {
			t.Fatal(err)
		}
		for _, path := range step.back {
			r.stays(path, "it was restored")
		}
	}
	_, _, err := r.sweeper.Restore(t.Context(), logs.Selector{Object: first}, "test")
	if !errors.Is(err, logs.ErrNothing) {
		t.Errorf("restoring twice gives %v", err)
	}
}

func TestUndoReplacesNothing(t *testing.T) {
	r := newRig(t)
	path := r.dead(1)
	r.later(2 * time.Hour)
	r.sweep()
	r.must(os.Mkdir(path, 0o755))
	_, failed, err := r.sweeper.Restore(t.Context(), logs.Selector{Object: path}, "test")
	if err != nil || len(failed) != 1 {
		t.Fatalf("failed %v, %v; want one that says why", failed, err)
	}
	r.must(os.Remove(path))
	if _, failed, err = r.sweeper.Restore(t.Context(), logs.Selector{Object: path}, "test"); err != nil || len(failed) != 0 {
		t.Errorf("after the place was free: %v, %v", failed, err)
	}
}

func TestRemovedFoldersArePurgedWhenTheirWindowEnds(t *testing.T) {
	r := newRig(t)
	path := r.dead(1)
	r.later(2 * time.Hour)
	r.sweep()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.sweeper.Run(ctx) }()
	r.later(59 * time.Minute)
	if n := len(r.sweeper.Yard()); n != 1 {
		t.Errorf("%d folders in the yard before the end of the window, want 1", n)
	}
	r.later(2 * time.Minute)
	r.dead(2)
	r.later(2 * time.Hour)
	report := r.sweep() // also purges what is due
	if len(report.Purged) != 1 || report.Freed == 0 {
		t.Errorf("purged %v, freed %d", report.Purged, report.Freed)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	story, err := r.sweeper.Why(t.Context(), path)
	r.must(err)
	if n := len(story.History); n < 2 || story.History[n-1].Action != "purged" {
		t.Errorf("the history of a purged folder is %+v", story.History)
	}
}

// Two folders of one name were removed one after the other. The one that is
// brought back is kept, although the other then cannot be.
func TestAFailedUndoDoesNotEndTheHoldOfAnother(t *testing.T) {
	r := newRig(t)
	first := r.dead(1)
	r.later(2 * time.Hour)
	r.sweep()
	r.folder(id(1).Short())
	r.later(30 * time.Minute)
	r.sweeper.Policy.Grace, r.sweeper.Undo = time.Minute, 24*time.Hour
	if report := r.sweep(); len(report.Removed) != 1 {
		t.Fatalf("removed %+v", report)
	}
	restored, failed, err := r.sweeper.Restore(t.Context(), logs.Selector{Object: id(1).Short()}, "test")
	r.must(err)
	if len(restored) != 1 || len(failed) != 1 {
		t.Fatalf("restored %d, failed %d", len(restored), len(failed))
	}
	r.later(time.Hour)
	if report := r.sweep(); len(report.Removed) != 0 {
		t.Errorf("what was brought back is gone again: %+v", report.Removed)
	}
	r.stays(first, "it was brought back")
}
