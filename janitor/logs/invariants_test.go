package logs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/logs"
)

func TestOnlyTheRemovedContainersFolderGoes(t *testing.T) {
	r := newRig(t)
	dead, kept := r.dead(1), map[inventory.State]string{}
	for n, state := range []inventory.State{
		inventory.Created, inventory.Running, inventory.Paused, inventory.Restarting,
		inventory.Exited, inventory.Dead, inventory.Removing,
	} {
		kept[state] = r.run(10 + n)
		r.exist[id(10+n)] = state
	}
	r.later(2 * time.Hour)
	if report := r.sweep(); len(report.Removed) != 1 || report.Removed[0].Path != dead {
		t.Errorf("removed %+v, want %s", report.Removed, dead)
	}
	r.goes(dead)
	for state, path := range kept {
		r.stays(path, "its container is "+string(state))
	}
}

// J1: a container that appears after the folders were scanned is in the
// listing, which is asked for later; its folder stays, however old it looks.
func TestJ1AContainerThatAppearsAfterTheScanKeepsItsFolder(t *testing.T) {
	r := newRig(t)
	path := r.folder(id(1).Short())
	r.list()
	r.later(48 * time.Hour)
	r.onList = func(_ int, l *inventory.Listing) error { // created between scan and listing
		l.Containers = append(l.Containers, inventory.Container{ID: id(1), State: inventory.Created})
		return nil
	}
	r.sweep()
	r.stays(path, "its container was created after the scan")
}

// J2: whatever keeps the sweeper from seeing keeps it from deleting, at the
// first look, at the second, and at the last.
func TestJ2UnknownIsAlive(t *testing.T) {
	faults := map[string]func(*rig, *inventory.Listing) error{
		"an error":             func(*rig, *inventory.Listing) error { return errors.New("500") },
		"a deadline":           func(*rig, *inventory.Listing) error { return context.DeadlineExceeded },
		"another data root":    func(_ *rig, l *inventory.Listing) error { l.Engine.RootDir = "/elsewhere"; return nil },
		"a young engine":       func(r *rig, l *inventory.Listing) error { l.Engine.Started = l.Taken.Add(-time.Minute); return nil },
		"an empty list":        func(_ *rig, l *inventory.Listing) error { l.Containers = nil; return nil },
		"a list that is short": func(_ *rig, l *inventory.Listing) error { l.Containers = l.Containers[1:]; return nil },
		"no process table": func(r *rig, _ *inventory.Listing) error {
			return os.RemoveAll(filepath.Join(r.dir, "proc"))
		},
	}
	for name, fault := range faults {
		for nth := 1; nth <= 3; nth++ {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				dead := r.dead(1)
				alive := []string{r.run(2), r.run(3), r.run(4), r.run(5)}
				r.list()
				r.later(2 * time.Hour)
				if nth == 3 { // the look before the purge
					r.sweeper.Undo = 0
				}
				seen := r.listings
				r.onList = func(n int, l *inventory.Listing) error {
					if n-seen < nth {
						return nil
					}
					if name == "no process table" {
						return nil
					}
					return fault(r, l)
				}
				if name == "no process table" {
					r.sweeper.Proc = filepath.Join(r.dir, "nowhere")
				}
				report := r.sweep()
				for _, path := range alive {
					r.stays(path, "its container runs")
				}
				if len(report.Purged) > 0 {
					t.Errorf("purged %+v although the look before it failed", report.Purged)
				}
				if nth < 3 {
					r.stays(dead, "nobody could tell")
					if nth == 1 && report.Plan.Blind == "" {
						t.Error("the plan does not say that it is blind")
					}
				}
			})
		}
	}
}

// J2: a process table that shows none of the containers that run is that of
// another namespace, unless the list is only late to say that they have ended.
func TestJ2AProcessTableOfAnotherNamespaceIsNoWitness(t *testing.T) {
	for late, blind := range map[int]bool{4: false, 1 << 20: true} {
		r := newRig(t)
		dead := r.dead(1)
		r.run(2)
		r.exist[id(2)] = inventory.Exited
		r.list()
		r.later(2 * time.Hour)
		seen := r.listings
		r.onList = func(n int, l *inventory.Listing) error {
			if n-seen <= late {
				l.Containers[0].State = inventory.Running
			}
			return nil
		}
		report := r.sweep()
		if got := strings.Contains(report.Plan.Blind, "namespace"); got != blind {
			t.Errorf("after %d listings that were late: blind %q", late, report.Plan.Blind)
		}
		if _, err := os.Stat(dead); (err == nil) != blind {
			t.Errorf("after %d listings that were late: the folder of the dead: %v", late, err)
		}
	}
}

// J2: after a short list the sweeper trusts the list again once the container
// is back, by itself.
func TestJ2SightComesBackByItself(t *testing.T) {
	r := newRig(t)
	dead, alive := r.dead(1), r.run(2)
	r.list()
	r.later(2 * time.Hour)
	r.onList = func(_ int, l *inventory.Listing) error { l.Containers = nil; return nil }
	if report := r.sweep(); !strings.Contains(report.Plan.Blind, "short") {
		t.Errorf("blind is %q, want a short list", report.Plan.Blind)
	}
	r.onList = nil
	if report := r.sweep(); report.Plan.Blind != "" || len(report.Removed) != 1 {
		t.Errorf("after the list was whole again: blind %q, removed %d", report.Plan.Blind, len(report.Removed))
	}
	r.goes(dead)
	r.stays(alive, "it was never gone")
	if n := r.ledger.View().Short; n == 0 {
		t.Error("the short list was not counted")
	}
}

// J3: a container that Docker has lost, but whose process runs, is alive.
func TestJ3AProcessKeepsTheFolderOfAContainerThatDockerHasLost(t *testing.T) {
	r := newRig(t)
	path := r.dead(1)
	r.process[id(1)] = true
	r.later(48 * time.Hour)
	report := r.sweep()
	r.stays(path, "its process runs")
	if d := report.Plan.Decisions[0]; d.Code != logs.CodeProcess {
		t.Errorf("kept for %s (%s), want %s", d.Code, d.Reason, logs.CodeProcess)
	}
}

// J4: a service folder that is a link, or a mount inside a folder, is left
// alone.
func TestJ4NothingIsFollowed(t *testing.T) {
	r := newRig(t)
	inside := r.dead(1)
	r.must(os.MkdirAll(filepath.Join(inside, "deep/mnt"), 0o755))
	outside := filepath.Join(r.dir, "outside/containers", id(2).Short())
	r.must(os.MkdirAll(outside, 0o755))
	r.must(os.Symlink(filepath.Join(r.dir, "outside"), filepath.Join(r.root, "linked")))
	mount := filepath.Join(inside, "deep/mnt")
	r.must(unix.Mount(filepath.Join(r.dir, "outside"), mount, "", unix.MS_BIND, ""))
	t.Cleanup(func() { _ = unix.Unmount(mount, unix.MNT_DETACH) })
	r.later(48 * time.Hour)
	report := r.sweep()
	r.stays(inside, "something is mounted inside")
	r.stays(outside, "it is not below the root")
	if code := report.Plan.Decisions[0].Code; code != logs.CodeMount {
		t.Errorf("kept for %s, want %s", code, logs.CodeMount)
	}
	if len(report.Plan.Notes) == 0 {
		t.Error("nothing says that a link was left alone")
	}
}

// J5: a container that turns up between the rename and the second look gets
// its folder back, the same inode.
func TestJ5WhoTurnsUpAfterTheRenameGetsTheFolderBack(t *testing.T) {
	for name, appear := range map[string]func(*rig){
		"in the list":          func(r *rig) { r.exist[id(1)] = inventory.Running },
		"in the process table": func(r *rig) { r.process[id(1)] = true },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			path := r.dead(1)
			want := inode(t, path)
			r.later(2 * time.Hour)
			seen := r.listings
			r.onList = func(n int, l *inventory.Listing) error {
				if n-seen == 2 { // the second look
					if exists(path) {
						t.Error("the folder is not in the yard at the second look")
					}
					appear(r)
					if r.exist[id(1)] != "" {
						l.Containers = append(l.Containers, inventory.Container{ID: id(1), State: inventory.Running})
					}
				}
				return nil
			}
			report := r.sweep()
			if len(report.Removed) != 0 || len(report.Refused) != 1 {
				t.Errorf("removed %d, refused %d; want 0 and 1", len(report.Removed), len(report.Refused))
			}
			if got := inode(t, path); got != want {
				t.Errorf("inode %d came back, want %d", got, want)
			}
		})
	}
}

// J5: a crash between rename and confirmation puts the folder back at the next
// start; one after it leaves the folder restorable.
func TestJ5ACrashBeforeTheSecondLookPutsTheFolderBack(t *testing.T) {
	r := newRig(t)
	path := r.dead(1)
	want := inode(t, path)
	r.later(2 * time.Hour)
	crash := errors.New("crash")
	seen := r.listings
	r.onList = func(n int, _ *inventory.Listing) error {
		if n-seen == 2 {
			panic(crash)
		}
		return nil
	}
	func() {
		defer func() {
			if got, ok := recover().(error); !ok || !errors.Is(got, crash) {
				t.Fatalf("recovered %v", got)
			}
		}()
		_, _ = r.sweeper.Sweep(t.Context(), logs.Options{By: "test"})
	}()
	r.goes(path)
	r.onList = nil
	r.restartAfterCrash()
	if got := inode(t, path); got != want {
		t.Errorf("inode %d came back, want %d", got, want)
	}
}

// J6: what goes is what the plan says, under the same hash and byte for byte,
// and each has its line in the audit.
func TestJ6TheSweepDoesWhatTheDryRunPrints(t *testing.T) {
	r := newRig(t)
	paths := []string{r.dead(1), r.dead(2), r.dead(3)}
	r.run(4)
	r.folder("0123456789ab")
	r.later(2 * time.Hour)
	dry, err := r.sweeper.Sweep(t.Context(), logs.Options{DryRun: true})
	r.must(err)
	if len(dry.Removed) != 0 {
		t.Fatal("a dry run removed something")
	}
	late := r.dead(5) // died after the dry run, and is not in its plan
	r.later(0)
	wet, err := r.sweeper.Sweep(t.Context(), logs.Options{Plan: dry.Plan.Hash(), By: "uid 0"})
	r.must(err)
	if len(wet.Removed) != len(paths) {
		t.Errorf("removed %d, want %d", len(wet.Removed), len(paths))
	}
	for _, path := range paths {
		r.goes(path)
		found, err := r.audit.Find(path, 10)
		r.must(err)
		if len(found) == 0 || found[len(found)-1].Action != audit.Removed || found[len(found)-1].Reason == "" {
			t.Errorf("the audit says of %s: %+v", path, found)
		}
	}
	r.stays(late, "it is not in the plan that was applied")
	if _, err := r.sweeper.Sweep(t.Context(), logs.Options{Plan: "cafecafecafe"}); !errors.Is(err, logs.ErrUnknownPlan) {
		t.Errorf("an unknown hash gives %v", err)
	}
}

func TestJ6TheSamePlanHasTheSameBytes(t *testing.T) {
	r := newRig(t)
	r.dead(1)
	r.run(2)
	r.folder("0123456789ab")
	r.later(2 * time.Hour)
	first := r.sweeper.Plan(t.Context())
	r.later(time.Second)
	wet := r.sweep()
	if first.Text() != wet.Plan.Text() || first.Hash() != wet.Plan.Hash() {
		t.Errorf("plan\n%s\nsweep\n%s", first.Text(), wet.Plan.Text())
	}
}

// restartAfterCrash opens everything anew without having closed it: what the
// kernel does for a dead process, releasing its locks, the old sweeper's Close
// does here.
func (r *rig) restartAfterCrash() {
	r.t.Helper()
	r.sweeper.Abandon()
	_ = r.ledger.Close()
	_ = r.audit.Close()
	r.open()
	r.sweeper.RootStates() // opens the roots
}
