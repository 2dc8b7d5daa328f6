package tombstone_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/tombstone"
)

func TestRestoreBringsTheSameInodeBack(t *testing.T) {
	r := newRig(t)
	for name, bury := range map[string]func(string) tombstone.Stone{"confirmed": r.confirmed, "not confirmed": r.bury} {
		t.Run(name, func(t *testing.T) {
			folder, file := inode(t, r.at(dead)), inode(t, r.at(dead, "app.log"))
			ok(t, r.yard.Restore(bury(dead)))
			if inode(t, r.at(dead)) != folder || inode(t, r.at(dead, "app.log")) != file {
				t.Error("another inode came back")
			}
			r.wantContent("dead", dead, "app.log")
			r.wantStones()
		})
	}
}

func TestRestoreIsRefused(t *testing.T) {
	tests := map[string]struct {
		change func(r *rig, s tombstone.Stone)
		want   error
	}{
		"a folder is there":  {func(r *rig, _ tombstone.Stone) { r.write("new", dead, "new.log") }, tombstone.ErrOccupied},
		"a link is there":    {func(r *rig, _ tombstone.Stone) { ok(r, os.Symlink("x", r.at(dead))) }, tombstone.ErrOccupied},
		"the folder is gone": {func(r *rig, _ tombstone.Stone) { ok(r, os.RemoveAll(r.at("orders"))) }, tombstone.ErrParentGone},
		"a link instead of the folder": {func(r *rig, _ tombstone.Stone) {
			ok(r, os.Rename(r.at("orders"), r.at("old")))
			ok(r, os.Symlink("old", r.at("orders")))
		}, tombstone.ErrParentGone},
		"taken in the last moment": {func(r *rig, _ tombstone.Stone) {
			r.before("renameat2", func() { r.mkdir(dead) })
		}, tombstone.ErrOccupied},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := r.confirmed(dead)
			tt.change(r, s)
			if err := r.yard.Restore(s); !errors.Is(err, tt.want) {
				t.Errorf("Restore = %v, want %v", err, tt.want)
			}
			if got := r.again(); len(got.Restored)+len(got.Orphans) > 0 {
				t.Errorf("recovered %+v, want it as it was", got)
			}
			r.wantStones(dead)
			r.wantContent("dead", tombstone.Home, tombstone.StonesName, s.Name, "app.log")
			ok(t, os.RemoveAll(r.at(dead)))
			r.mkdir(filepath.Dir(dead))
			if errors.Is(tt.want, tombstone.ErrOccupied) {
				ok(t, r.yard.Restore(s))
				r.wantContent("dead", dead, "app.log")
			}
		})
	}
}

func TestRestoreOfSomethingElseIsRefused(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	ok(t, r.yard.Restore(s))
	if err := r.yard.Restore(s); !errors.Is(err, tombstone.ErrUnknown) {
		t.Errorf("a second time: %v, want ErrUnknown", err)
	}
	if err := r.yard.Confirm(s); !errors.Is(err, tombstone.ErrUnknown) {
		t.Errorf("confirmed: %v, want ErrUnknown", err)
	}
	s = r.confirmed(dead)
	ok(t, unix.Renameat2(unix.AT_FDCWD, r.inYard(s.Name), unix.AT_FDCWD, r.at(live), unix.RENAME_EXCHANGE))
	if err := r.yard.Restore(s); !errors.Is(err, tombstone.ErrSwapped) {
		t.Errorf("another in the yard: %v, want ErrSwapped", err)
	}
	if _, err := r.yard.Purge(t.Context(), s); !errors.Is(err, tombstone.ErrSwapped) {
		t.Errorf("another in the yard purged: %v, want ErrSwapped", err)
	}
}

func TestWhatIsPartlyDeletedIsNotRestored(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	stop := r.crashAfter("unlinkat")
	if _, err := r.yard.Purge(t.Context(), s); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	stop()
	for range 2 {
		if err := r.yard.Restore(s); !errors.Is(err, tombstone.ErrPurging) {
			t.Errorf("got %v, want ErrPurging", err)
		}
		if got := r.again(); len(got.Resumed) != 1 {
			t.Errorf("recovered %+v, want it resumed", got)
		}
	}
	r.purge(s)
}

// Two folders that stood at one place one after the other, both not confirmed:
// the place is that of the one that was there last, even if the clock went back
// in between.
func TestWhoWasThereLastGoesBack(t *testing.T) {
	for _, later := range []time.Duration{time.Second, -time.Hour} {
		whoWasLast(t, later)
	}
}

func whoWasLast(t *testing.T, later time.Duration) {
	t.Helper()
	r := newRig(t)
	first := r.bury(dead)
	second := r.write("second", dead, "app.log")
	last, err := r.yard.Bury(r.folder(dead), plan, noon.Add(later))
	ok(t, err)
	got := r.again()
	if len(got.Restored) != 1 || got.Restored[0].Name != last.Name || len(got.Orphans) != 1 || got.Orphans[0].Name != first.Name {
		t.Errorf("restored %+v, kept as orphans %+v, want %q and %q", got.Restored, got.Orphans, last.Name, first.Name)
	}
	if text, err := os.ReadFile(second); err != nil || string(text) != "second" {
		t.Errorf("at the place is %q, %v", text, err)
	}
}
