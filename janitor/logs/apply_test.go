package logs_test

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/logs"
)

// many makes containers that have come and gone, all at once.
func (r *rig) many(n int) []string {
	r.t.Helper()
	var paths []string
	for i := range n {
		paths = append(paths, r.run(i+1))
	}
	r.list()
	for i := range n {
		r.remove(i+1, true)
	}
	r.list()
	return paths
}

// J5: a container that turns up after the rename may have made its folder
// anew. The one that was moved is not lost: it waits, is never purged, and goes
// back when its place is free.
func TestJ5AFolderWhosePlaceIsTakenGoesBackLater(t *testing.T) {
	for name, back := range map[string]func(r *rig, path string){
		"by the next sweep": func(r *rig, _ string) { r.sweep() },
		"by undo": func(r *rig, path string) {
			_, failed, err := r.sweeper.Restore(r.t.Context(), logs.Selector{Object: path}, "test")
			if err != nil || len(failed) > 0 {
				r.t.Errorf("failed %v, %v", failed, err)
			}
		},
		"by the next start": func(r *rig, _ string) { r.restartAfterCrash() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			path := r.dead(1)
			want := inode(t, path)
			r.later(2 * time.Hour)
			seen := r.listings
			r.onList = func(n int, l *inventory.Listing) error {
				if n-seen == 2 { // the second look
					r.exist[id(1)] = inventory.Running
					l.Containers = append(l.Containers, inventory.Container{ID: id(1), State: inventory.Running})
					r.must(os.Mkdir(path, 0o755))
				}
				return nil
			}
			report, err := r.sweeper.Sweep(t.Context(), logs.Options{Purge: true})
			if err == nil || len(report.Refused) != 1 || report.Refused[0].Code != logs.CodeFailed || len(report.Purged) > 0 {
				t.Fatalf("%+v, %v; want a refusal that says that it cannot go back", report, err)
			}
			r.onList = nil
			r.must(os.Remove(path))
			back(r, path)
			if got := inode(t, path); got != want {
				t.Errorf("inode %d came back, want %d", got, want)
			}
		})
	}
}

// J6: where a removal cannot be put into the audit, it does not happen.
func TestJ6WhatCannotBeAccountedForIsNotRemoved(t *testing.T) {
	r := newRig(t)
	path := r.dead(1)
	r.later(2 * time.Hour)
	r.must(r.audit.Close())
	if _, err := r.sweeper.Sweep(t.Context(), logs.Options{}); err == nil {
		t.Error("a sweep without an audit is no fault")
	}
	r.stays(path, "the audit could not be written")
}

// J6: what is applied by a plan's hash is accounted for and restored by it.
func TestJ6TheHashThatWasGivenIsTheOneThatCounts(t *testing.T) {
	r := newRig(t)
	path := r.dead(1)
	r.later(2 * time.Hour)
	hash := r.sweeper.Plan(t.Context()).Hash()
	r.folder("0123456789ab") // the plan of now is another
	report, err := r.sweeper.Sweep(t.Context(), logs.Options{Plan: hash})
	r.must(err)
	if report.Plan.Hash() == hash {
		t.Fatal("the plan is the same")
	}
	r.goes(path)
	_, failed, err := r.sweeper.Restore(t.Context(), logs.Selector{Plan: hash}, "test")
	if err != nil || len(failed) > 0 {
		t.Errorf("failed %v, %v", failed, err)
	}
	r.stays(path, "its plan was undone")
}

// J5: the look before a purge counts for so many folders and no more.
func TestJ5ThePurgeStopsWhenItCannotSeeAnyMore(t *testing.T) {
	r := newRig(t)
	r.many(1100)
	r.later(2 * time.Hour)
	seen := r.listings
	r.onList = func(n int, _ *inventory.Listing) error {
		if n-seen > 3 { // plan, second look, first batch
			return errors.New("500")
		}
		return nil
	}
	report, err := r.sweeper.Sweep(t.Context(), logs.Options{Purge: true})
	r.must(err)
	left := len(r.sweeper.Yard())
	if len(report.Removed) != 1100 || len(report.Purged) == 0 || left == 0 || len(report.Purged)+left != 1100 {
		t.Errorf("removed %d, purged %d, left %d", len(report.Removed), len(report.Purged), left)
	}
}

// A host that starts us again and again must not fill the audit, which is
// bounded, with what it says of folders whose containers live.
func TestARestartIsNoReasonToSayEverythingAgain(t *testing.T) {
	r := newRig(t)
	for n := range 10 {
		r.run(n + 1)
	}
	r.list()
	for range 5 {
		r.sweep()
		r.onList = func(int, *inventory.Listing) error { return errors.New("500") }
		r.sweep() // blind
		r.onList = nil
		r.sweep()
		r.close()
		r.open()
	}
	found, err := r.audit.Find("", 1000)
	r.must(err)
	kept := 0
	for _, f := range found {
		if f.Action == audit.Kept {
			kept++
		}
	}
	if kept > 0 {
		t.Errorf("the audit says of %d living folders that they are kept", kept)
	}
}

// Nobody who asks waits for a sweep.
func TestTheRootsCanBeAskedAboutDuringASweep(t *testing.T) {
	r := newRig(t)
	r.sweep()
	r.onList = func(int, *inventory.Listing) error {
		if states := r.sweeper.RootStates(); len(states) != 1 || states[0].Fault != "" {
			t.Errorf("during a sweep: %+v", states)
		}
		return nil
	}
	r.sweep()
}

func TestUndoOfDigitsThatSeveralShareIsRefused(t *testing.T) {
	r := newRig(t)
	paths := r.many(2)
	r.later(2 * time.Hour)
	r.sweep()
	_, _, err := r.sweeper.Restore(t.Context(), logs.Selector{Object: "0000"}, "test")
	if !errors.Is(err, logs.ErrAmbiguous) {
		t.Errorf("Restore = %v, want it to say that it is ambiguous", err)
	}
	for _, path := range paths {
		r.goes(path)
	}
}

// A folder whose service is not UTF-8 could not be told of without changing
// its name: it is left alone.
func TestANameThatIsNotTextIsLeftAlone(t *testing.T) {
	r := newRig(t)
	path := r.root + "/or\xffders/containers/" + id(1).Short()
	r.must(os.MkdirAll(path, 0o755))
	r.list()
	r.later(72 * time.Hour)
	if report := r.sweep(); len(report.Plan.Notes) != 1 || len(report.Plan.Decisions) != 0 {
		t.Errorf("notes %q, %d decisions", report.Plan.Notes, len(report.Plan.Decisions))
	}
	r.stays(path, "it cannot be named")
}

// The hourly look at a host with two thousand log folders costs next to
// nothing when nobody has died.
func TestTwoThousandFoldersCostLittle(t *testing.T) {
	r := newRig(t)
	for n := range 2000 {
		r.exist[id(n+1)] = inventory.Exited
		r.must(os.MkdirAll(r.root+"/orders/containers/"+id(n+1).Short(), 0o755))
	}
	r.list()
	best := time.Hour
	for range 5 {
		before := cpu(t)
		if p := r.sweeper.Plan(t.Context()); len(p.Decisions) != 2000 || p.Blind != "" {
			t.Fatalf("%d decisions, blind %q", len(p.Decisions), p.Blind)
		}
		best = min(best, cpu(t)-before)
	}
	t.Logf("%v of CPU", best)
	if limit := 200 * time.Millisecond; best > limit { // 20 ms without the race detector and the rig
		t.Errorf("a plan costs %v of CPU, want less than %v", best, limit)
	}
}

func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
