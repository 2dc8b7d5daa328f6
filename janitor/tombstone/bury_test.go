package tombstone_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/tombstone"
)

func TestBuryTakesTheFolderAndNothingElse(t *testing.T) {
	r := newRig(t)
	ino := inode(t, r.at(dead))
	s := r.bury(dead)
	if exists(r.at(dead)) || inode(t, r.inYard(s.Name)) != ino {
		t.Error("it is still there, or another is in the yard")
	}
	r.wantStones(dead)
	r.wantContent("alive", live, "app.log")
}

func TestBuryRefusesWhatWasNotPlanned(t *testing.T) {
	tests := map[string]struct {
		rel    string
		change func(r *rig, f *tombstone.Folder)
		want   error // nil: any
	}{
		"another in its place": {dead, func(r *rig, _ *tombstone.Folder) {
			ok(r, os.Rename(r.at(dead), r.at("old")))
			ok(r, os.Rename(r.at(live), r.at(dead)))
		}, tombstone.ErrSwapped},
		"made anew": {dead, func(r *rig, _ *tombstone.Folder) {
			ok(r, os.RemoveAll(r.at(dead)))
			r.mkdir(dead)
		}, tombstone.ErrSwapped},
		"gone": {dead, func(r *rig, _ *tombstone.Folder) { ok(r, os.RemoveAll(r.at(dead))) }, tombstone.ErrSwapped},
		"a link to it": {dead, func(r *rig, _ *tombstone.Folder) {
			ok(r, os.Rename(r.at(dead), r.at("old")))
			ok(r, os.Symlink(r.at("old"), r.at(dead)))
		}, tombstone.ErrSwapped},
		"a file": {dead, func(r *rig, _ *tombstone.Folder) {
			ok(r, os.RemoveAll(r.at(dead)))
			r.write("", dead)
		}, tombstone.ErrSwapped},
		"seen on another mount": {dead, func(_ *rig, f *tombstone.Folder) { f.Identity.Mount++ }, tombstone.ErrSwapped},
		"a mount":               {dead, func(r *rig, _ *tombstone.Folder) { r.mount(r.at(dead), r.at(dead), "", unix.MS_BIND) }, beneath.ErrMount},
		"behind a link": {dead, func(r *rig, _ *tombstone.Folder) {
			ok(r, os.Rename(r.at("orders"), r.at("old")))
			ok(r, os.Symlink("old", r.at("orders")))
		}, beneath.ErrSymlink},
		"outside":         {dead, func(_ *rig, f *tombstone.Folder) { f.Rel = "../" + filepath.Base(f.Rel) }, beneath.ErrName},
		"the root":        {dead, func(_ *rig, f *tombstone.Folder) { f.Rel = "" }, beneath.ErrName},
		"the yard":        {dead, func(_ *rig, f *tombstone.Folder) { f.Rel = tombstone.Home }, nil},
		"within the yard": {dead, func(_ *rig, f *tombstone.Folder) { f.Rel = tombstone.Home + "/tombstones" }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			f := r.folder(tt.rel)
			tt.change(r, &f)
			_, err := r.yard.Bury(f, plan, noon)
			if err == nil || (tt.want != nil && !errors.Is(err, tt.want)) {
				t.Errorf("Bury = %v, want %v", err, tt.want)
			}
			r.wantStones()
			if exists(r.inYard()) && len(names(t, r.inYard())) > 0 {
				t.Error("something is in the yard")
			}
		})
	}
}

// Somebody exchanges the dead folder and a live one as fast as he can. A live
// folder must never stay in the yard.
func TestALiveFolderSwappedInComesBack(t *testing.T) {
	r := newRig(t)
	parent := openPath(t, r.at(filepath.Dir(dead)))
	want, alive := r.folder(dead), inode(t, r.at(live))
	stop := during(t, func() error { return exchange(parent, filepath.Base(dead), filepath.Base(live)) })
	var buried, swapped int
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		s, err := r.yard.Bury(want, plan, noon)
		switch {
		case errors.Is(err, tombstone.ErrSwapped):
			swapped++
		case err != nil:
			t.Fatal(err)
		default:
			buried++
			if inode(t, r.inYard(s.Name)) == alive {
				t.Fatal("the live folder is in the yard")
			}
			ok(t, r.yard.Restore(s))
		}
	}
	if n := stop(); n == 0 || buried == 0 || swapped == 0 {
		t.Errorf("%d exchanges, %d burials, %d refused: not a race", n, buried, swapped)
	}
	r.wantStones()
	if a, b := inode(t, r.at(dead)), inode(t, r.at(live)); a != alive && b != alive {
		t.Error("the live folder is gone")
	}
}

func TestASwapBetweenLookAndRenameIsNoticed(t *testing.T) {
	r := newRig(t)
	f := r.folder(dead)
	r.before("renameat2", func() {
		ok(t, unix.Renameat2(unix.AT_FDCWD, r.at(dead), unix.AT_FDCWD, r.at(live), unix.RENAME_EXCHANGE))
	})
	alive := inode(t, r.at(live))
	if _, err := r.yard.Bury(f, plan, noon); !errors.Is(err, tombstone.ErrSwapped) {
		t.Fatalf("got %v, want ErrSwapped", err)
	}
	r.wantStones()
	if inode(t, r.at(dead)) != alive {
		t.Error("the live folder did not go back to where it was taken from")
	}
}

func TestWhatCannotGoBackIsKeptAsAnOrphan(t *testing.T) {
	r := newRig(t)
	f, alive := r.folder(dead), inode(t, r.at(live))
	r.before("renameat2", func() {
		ok(t, unix.Renameat2(unix.AT_FDCWD, r.at(dead), unix.AT_FDCWD, r.at(live), unix.RENAME_EXCHANGE))
	}, func() { r.mkdir(dead) })
	_, err := r.yard.Bury(f, plan, noon)
	if !errors.Is(err, tombstone.ErrSwapped) || !strings.Contains(err.Error(), "kept in the yard") {
		t.Fatalf("got %v, want ErrSwapped and where it is kept", err)
	}
	stones := r.yard.Stones()
	if len(stones) != 1 || stones[0].Orphan == "" || inode(t, r.inYard(stones[0].Name)) != alive {
		t.Fatalf("stones are %+v, want the live folder as an orphan", stones)
	}
	if err := r.yard.Confirm(stones[0]); err == nil {
		t.Error("an orphan was confirmed")
	}
	if _, err := r.yard.Purge(t.Context(), stones[0]); err == nil {
		t.Error("an orphan was purged")
	}
	if got := r.again(); len(got.Orphans) != 1 {
		t.Errorf("recovered %+v, want an orphan while its place is taken", got)
	}
	ok(t, os.Remove(r.at(dead)))
	if got := r.again(); len(got.Restored) != 1 || inode(t, r.at(dead)) != alive {
		t.Errorf("recovered %+v, want it back once there is room", got)
	}
}

func TestAFolderNobodyMayEnterCanBeBuried(t *testing.T) {
	r := newRig(t)
	ok(t, os.Chown(r.at(dead), 4242, 4242))
	ok(t, os.Chmod(r.at(dead), 0))
	r.purge(r.confirmed(dead))
}
