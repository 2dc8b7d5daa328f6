package tombstone_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/tombstone"
)

var errCrash = errors.New("crash")

// A crasher ends the process before one of the system calls of a change: that
// one and all after it do nothing. Calls that only look are let through.
type crasher struct {
	at    int // which call; 0: none
	calls int
	seen  map[string]bool
}

func (c *crasher) hook(call kernel.Call, do func() error) error {
	if call.Name == "openat2" {
		return do()
	}
	if c.calls++; c.crashed() {
		return errCrash
	}
	if c.seen != nil {
		c.seen[call.Name] = true
	}
	return do()
}

func (c *crasher) crashed() bool { return c.at > 0 && c.calls >= c.at }

// crashAfter ends the process after the first system call with this name.
func (r *rig) crashAfter(name string) (stop func()) {
	over := false
	return kernel.Intercept(r, func(call kernel.Call, do func() error) error {
		if over && call.Name != "openat2" {
			return errCrash
		}
		over = over || ofStone(call, name)
		return do()
	})
}

// ofStone reports whether a call has this name and is not part of making the
// yard.
func ofStone(call kernel.Call, name string) bool {
	return call.Name == name && call.Path != tombstone.GrowName
}

// before runs each of the functions once: the nth before the nth system call
// with this name.
func (r *rig) before(name string, acts ...func()) {
	kernel.Intercept(r, func(call kernel.Call, do func() error) error {
		if ofStone(call, name) && len(acts) > 0 {
			acts[0]()
			acts = acts[1:]
		}
		return do()
	})
}

// Each change, ended before each of its system calls. What the caller was told counts: a
// change that was reported as done is done, and one that was not may be either.
func TestACrashAtAnySystemCallLosesNothing(t *testing.T) {
	memory := t.TempDir() // a sync is free there
	ok(t, unix.Mount("none", memory, "tmpfs", 0, ""))
	t.Cleanup(func() { ok(t, unix.Unmount(memory, unix.MNT_DETACH)) })
	t.Setenv("TMPDIR", memory)
	seen := map[string]bool{}
	changes := map[string]func(r *rig, c *crash) error{
		"bury":    func(_ *rig, c *crash) error { return c.bury() },
		"confirm": func(_ *rig, c *crash) error { return errors.Join(c.bury(), c.confirm()) },
		"restore": func(_ *rig, c *crash) error { return errors.Join(c.bury(), c.confirm(), c.restore()) },
		"purge":   func(_ *rig, c *crash) error { return errors.Join(c.bury(), c.confirm(), c.purge()) },
	}
	for name, change := range changes {
		for _, compact := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, compact %v", name, compact), func(t *testing.T) {
				for at := 1; ; at++ {
					c := newCrash(t, at, compact, seen)
					stop := kernel.Intercept(t, c.hook)
					err := change(c.rig, c)
					stop()
					if err != nil && !errors.Is(err, errCrash) {
						t.Fatalf("call %d: %v", at, err)
					}
					c.check()
					if t.Failed() {
						t.Fatalf("crashed at call %d", at)
					}
					if !c.crashed() {
						return
					}
				}
			})
		}
	}
	want := []string{"fallocate", "fdatasync", "fsync", "openat", "renameat2", "unlinkat", "write"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(seen))); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// A crash is one run of a change on a rig, and what is known of it.
type crash struct {
	*rig
	*crasher
	inode  uint64
	stone  tombstone.Stone
	folder tombstone.Folder
	told   map[string]bool // changes that were reported as done
	tried  map[string]bool
}

func newCrash(t *testing.T, at int, compact bool, seen map[string]bool) *crash {
	t.Helper()
	r := newRig(t)
	deep(t, r.mkdir(dead), tombstone.MaxDepth+2)
	neighbour := r.confirmed(live) // has to come through it all
	c := &crash{
		rig: r, crasher: &crasher{at: at, seen: seen}, inode: inode(t, r.at(dead)), folder: r.folder(dead),
		told: map[string]bool{}, tried: map[string]bool{},
	}
	ok(t, r.yard.Restore(neighbour))
	r.confirmed(live)
	if compact {
		tombstone.SetCompact(r.yard, 1)
	}
	return c
}

func (c *crash) do(name string, f func() error) error {
	if c.crashed() {
		return nil // the process is dead
	}
	c.tried[name] = true
	err := f()
	c.told[name] = err == nil
	return err
}

func (c *crash) bury() error {
	return c.do("bury", func() (err error) {
		c.stone, err = c.yard.Bury(c.folder, plan, noon)
		return err
	})
}

func (c *crash) confirm() error {
	return c.do("confirm", func() error { return c.yard.Confirm(c.stone) })
}

func (c *crash) restore() error {
	return c.do("restore", func() error { return c.yard.Restore(c.stone) })
}

func (c *crash) purge() error {
	return c.do("purge", func() error { _, err := c.yard.Purge(c.Context(), c.stone); return err })
}

// check starts anew, twice, and looks at what is left.
func (c *crash) check() {
	c.Helper()
	c.again()
	stones := c.mine()
	switch {
	case exists(c.rig.at(dead)): // back, or never away
		if inode(c, c.rig.at(dead)) != c.inode || len(stones) > 0 {
			c.Errorf("another folder is there, or it is in the yard too: %+v", stones)
		}
		c.wantContent("dead", dead, "app.log")
		if c.told["confirm"] && !c.tried["restore"] {
			c.Error("it was confirmed and has come back")
		}
	case len(stones) == 1 && stones[0].Purging:
		if !c.tried["purge"] {
			c.Errorf("a purge is under way: %+v", stones)
		}
		_, err := c.yard.Purge(c.Context(), stones[0])
		ok(c, err)
	case len(stones) == 1:
		if !c.tried["confirm"] || c.told["restore"] || stones[0].Orphan != "" || !stones[0].Confirmed {
			c.Errorf("it should not be in the yard: %+v", stones)
		}
		ok(c, c.yard.Restore(stones[0]))
		if inode(c, c.rig.at(dead)) != c.inode {
			c.Error("another inode came back")
		}
		c.wantContent("dead", dead, "app.log")
	case !c.tried["purge"]:
		c.Error("it is lost")
	}
	c.neighbours()
}

// mine returns the stones of the folder that is tried.
func (c *crash) mine() []tombstone.Stone {
	return slices.DeleteFunc(c.yard.Stones(), func(s tombstone.Stone) bool { return s.Rel == live })
}

// neighbours checks that nothing else was touched, and that a second recovery
// finds nothing to do.
func (c *crash) neighbours() {
	c.Helper()
	if got := c.again(); len(got.Restored)+len(got.Resumed)+len(got.Orphans)+got.Bad > 0 {
		c.Errorf("the second recovery did %+v", got)
	}
	if got := len(names(c, c.inYard())); got != 1 {
		c.Errorf("%d names are in the yard, want the neighbour alone", got)
	}
	c.wantStones(live)
	ok(c, c.yard.Restore(c.yard.Stones()[0]))
	c.wantContent("alive", live, "app.log")
}

// A recovery can be cut short too.
func TestACrashOfTheRecoveryLosesNothing(t *testing.T) {
	for at := 1; ; at++ {
		c := newCrash(t, 0, false, map[string]bool{})
		_, err := c.yard.Bury(c.folder, plan, noon)
		ok(t, err)
		c.shut()
		c.open()
		c.crasher.at = at
		tombstone.SetCompact(c.yard, 1)
		stop := kernel.Intercept(t, c.hook)
		_, err = c.yard.Recover()
		stop()
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatalf("call %d: %v", at, err)
		}
		c.check()
		if !exists(c.rig.at(dead)) {
			t.Fatalf("call %d: it is not back", at)
		}
		if !c.crashed() {
			return
		}
	}
}

// Parts that lay too deep outlive even the stone they are of.
func TestPartsOfAStoneThatSomebodyRemovedArePurged(t *testing.T) {
	r := newRig(t)
	deep(t, r.mkdir(dead), 2*tombstone.MaxDepth)
	s := r.confirmed(dead)
	stop := r.crashAfter("renameat2") // the first part was moved up
	if _, err := r.yard.Purge(t.Context(), s); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	stop()
	ok(t, os.RemoveAll(r.inYard(s.Name)))
	if got := r.again(); len(got.Resumed) != 1 || len(got.Orphans) > 0 || len(names(t, r.inYard())) != 1 {
		t.Fatalf("recovered %+v, want it resumed", got)
	}
	r.purge(s)
}

// Between the rename and the look at what arrived the process dies, and what
// arrived is a live folder.
func TestALiveFolderInTheYardGoesBackAfterACrash(t *testing.T) {
	r := newRig(t)
	f, alive := r.folder(dead), inode(t, r.at(live))
	moved := false
	stop := kernel.Intercept(t, func(call kernel.Call, do func() error) error {
		switch {
		case moved && call.Name != "openat2":
			return errCrash
		case ofStone(call, "renameat2"):
			ok(t, os.Rename(r.at(dead), r.at("away")))
			ok(t, os.Rename(r.at(live), r.at(dead)))
			moved = true
		}
		return do()
	})
	if _, err := r.yard.Bury(f, plan, noon); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	stop()
	if got := r.again(); len(got.Restored) != 1 || inode(t, r.at(dead)) != alive {
		t.Errorf("recovered %+v, want the live folder back", got)
	}
	r.wantStones()
}

// A crash may tear the line that was being written. (That of the burial cannot
// be torn and the folder in the yard: it was synced before the rename.)
func TestATornLineLosesNothing(t *testing.T) {
	for cut, left := 0, true; left; cut += 31 {
		r := newRig(t)
		ino := inode(t, r.at(dead))
		r.confirmed(dead)
		r.shut()
		journal := r.at(tombstone.Home, tombstone.JournalName)
		whole, err := os.Stat(journal) // its times are not always of the same length
		ok(t, err)
		n := whole.Size() - int64(cut)
		left = n > 31
		ok(t, os.Truncate(journal, n))
		r.open()
		got := r.recover()
		switch {
		case got.Bad > 0:
			t.Errorf("cut at %d: %d bad lines", n, got.Bad)
		case cut == 0:
			r.wantStones(dead)
		case len(got.Restored) == 1:
			if inode(t, r.at(dead)) != ino {
				t.Error("another inode came back")
			}
		case len(got.Orphans) != 1:
			t.Errorf("cut at %d: recovered %+v, want it restored or kept", n, got)
		}
	}
}
