package tombstone_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// failing has every system call with this name fail, and have no effect.
func (r *rig) failing(name string) (stop func()) {
	return kernel.Intercept(r, func(c kernel.Call, do func() error) error {
		if c.Name == name {
			return unix.EIO
		}
		return do()
	})
}

// What a disk does not sync is in the file all the same: after a restart the
// journal says more than this process was told.
func TestAnIntentThatWasNotSyncedDoesNotStandInTheWay(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	stop := r.failing("fdatasync")
	if err := r.yard.Restore(s); err == nil {
		t.Fatal("the intent cannot be synced, and Restore says nothing")
	}
	stop()
	stop = r.crashAfter("unlinkat", 1)
	if _, err := r.yard.Purge(t.Context(), s); err == nil {
		t.Fatal("Purge ended well in a crash")
	}
	stop()
	if got := r.again(); len(got.Resumed) != 1 {
		t.Errorf("recovered %+v, want it resumed", got)
	}
	r.purge(s)
}

// The same the other way round: nothing of it is deleted.
func TestAPurgeThatWasNotSyncedCanStillBeRestored(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	stop := r.failing("fdatasync")
	if _, err := r.yard.Purge(t.Context(), s); err == nil {
		t.Fatal("the intent cannot be synced, and Purge says nothing")
	}
	stop()
	stop = kernel.Intercept(t, func(c kernel.Call, do func() error) error {
		if c.Name == "renameat2" {
			return errCrash
		}
		return do()
	})
	_ = r.yard.Restore(s)
	stop()
	r.again()
	if stones := r.yard.Stones(); len(stones) > 0 {
		ok(t, r.yard.Restore(stones[0]))
	}
	if inode(t, r.at(dead)) != s.Identity.Ino {
		t.Error("it is not back")
	}
	r.wantContent("dead", dead, "app.log")
}

// The folder is in its place: to say that it is not would be wrong, and to keep
// it in mind as restorable too.
func TestARestoreWhoseFoldersCannotBeSyncedIsDone(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	stop := r.failing("fsync")
	ok(t, r.yard.Restore(s))
	stop()
	r.wantStones()
	r.wantContent("dead", dead, "app.log")
	if got := r.again(); len(got.Restored)+len(got.Orphans) > 0 {
		t.Errorf("recovered %+v, want nothing", got)
	}
}

// A disk that is full at the start is no reason to take a yard for an empty one.
func TestAFullDiskAtTheStartHidesNoStones(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	ok(t, r.yard.Close())
	stop := kernel.Intercept(t, func(c kernel.Call, do func() error) error {
		if c.Name == "openat" {
			return unix.ENOSPC
		}
		return do()
	})
	if yard, err := tombstone.Open(r.root); err == nil {
		t.Errorf("Open found %d stones, and says nothing", len(yard.Stones()))
		ok(t, yard.Close())
	}
	stop()
	ok(t, r.root.Close())
	r.open()
	r.recover()
	r.purge(s)
}
