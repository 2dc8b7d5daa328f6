package tombstone_test

import (
	"errors"
	"os"
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

// A restore that came to nothing, and could not say so, leaves its intent in the
// journal: after a restart that says more than this process knows.
func TestAnIntentThatWasNotTakenBackDoesNotStandInTheWay(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	stop := r.crashAfter("write")
	if err := r.yard.Restore(s); !errors.Is(err, errCrash) {
		t.Fatalf("Restore = %v, want the rename to fail", err)
	}
	stop()
	stop = r.crashAfter("unlinkat")
	if _, err := r.yard.Purge(t.Context(), s); err == nil {
		t.Fatal("Purge ended well in a crash")
	}
	stop()
	if got := r.again(); len(got.Resumed) != 1 {
		t.Errorf("recovered %+v, want it resumed", got)
	}
	r.purge(s)
}

// J5: the intent of a restore is not on disk before the rename, and a loss of
// power can take it away and leave the rename.
func TestARestoreWhoseIntentIsLostIsDone(t *testing.T) {
	r := newRig(t)
	s, ino := r.confirmed(dead), inode(t, r.inYard(r.yard.Stones()[0].Name))
	journal := r.at(tombstone.Home, tombstone.JournalName)
	synced, err := os.Stat(journal)
	ok(t, err)
	stop := r.crashAfter("renameat2")
	if err := r.yard.Restore(s); err == nil {
		t.Error("nothing can be synced, and Restore says nothing")
	}
	stop()
	r.shut()
	ok(t, os.Truncate(journal, synced.Size()))
	r.open()
	if got := r.recover(); len(got.Restored)+len(got.Resumed)+len(got.Orphans)+got.Bad > 0 {
		t.Errorf("recovered %+v, want nothing to do", got)
	}
	r.wantStones()
	if inode(t, r.at(dead)) != ino {
		t.Error("another inode is there")
	}
}

// J5: where the rename of a restore cannot be synced, the intent is, and where
// that cannot be synced either nobody is told that all is well.
func TestARestoreThatIsNotOnDiskSaysSoOrGoesOn(t *testing.T) {
	for _, journals := range []bool{true, false} {
		r := newRig(t)
		s, synced := r.confirmed(dead), false
		stop := kernel.Intercept(t, func(c kernel.Call, do func() error) error {
			if c.Name == "fsync" || c.Name == "fdatasync" && !journals {
				return unix.EIO
			}
			synced = synced || c.Name == "fdatasync"
			return do()
		})
		err := r.yard.Restore(s)
		stop()
		if synced != journals || errors.Is(err, tombstone.ErrUnsynced) == journals {
			t.Errorf("journals can be synced: %v; synced: %v, Restore = %v", journals, synced, err)
		}
		r.wantStones()
		r.wantContent("dead", dead, "app.log")
		ok(t, os.Rename(r.at(dead), r.inYard(s.Name))) // the power is lost, and with it the rename
		if got := r.again(); len(got.Restored) != 1 {
			t.Errorf("recovered %+v, want it restored again", got)
		}
		r.wantContent("dead", dead, "app.log")
	}
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
