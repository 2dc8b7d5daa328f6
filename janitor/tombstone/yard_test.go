package tombstone_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/tombstone"
)

func TestNothingIsMadeBeforeTheFirstBurial(t *testing.T) {
	r := newRig(t)
	r.recover()
	if _, err := r.yard.Bury(tombstone.Folder{Rel: dead}, plan, noon); !errors.Is(err, tombstone.ErrSwapped) {
		t.Fatal(err)
	}
	if exists(r.at(tombstone.Home)) {
		t.Error("there is a yard already")
	}
	r.bury(dead)
	var st unix.Stat_t
	ok(t, unix.Lstat(r.at(tombstone.Home), &st))
	if st.Mode&0o7777 != 0o700 {
		t.Errorf("the yard has mode %o", st.Mode)
	}
}

func TestAYardThatIsNotOursAloneIsRefused(t *testing.T) {
	tests := map[string]struct {
		make func(r *rig, home string)
		want error // nil: any
	}{
		"a file":           {func(r *rig, home string) { ok(r, os.WriteFile(home, nil, 0o600)) }, beneath.ErrNotFolder},
		"a link":           {func(r *rig, home string) { ok(r, os.Symlink(r.mkdir("elsewhere"), home)) }, beneath.ErrSymlink},
		"a mount":          {func(r *rig, home string) { r.mount("none", r.mkdir(tombstone.Home), "tmpfs", 0) }, beneath.ErrMount},
		"open to a group":  {func(r *rig, home string) { r.mkdir(tombstone.Home); ok(r, os.Chmod(home, 0o770)) }, nil},
		"open to others":   {func(r *rig, home string) { r.mkdir(tombstone.Home); ok(r, os.Chmod(home, 0o702)) }, nil},
		"somebody else's":  {func(r *rig, home string) { ok(r, os.Mkdir(home, 0o700)); ok(r, os.Chown(home, 4242, 4242)) }, nil},
		"stones elsewhere": {func(r *rig, home string) { ok(r, os.Mkdir(home, 0o700)); ok(r, os.Symlink(r.path, home+"/tombstones")) }, beneath.ErrSymlink},
		"a journal elsewhere": {func(r *rig, home string) {
			ok(r, os.Mkdir(home, 0o700))
			ok(r, os.Symlink(r.write("keep", "other"), home+"/journal"))
		}, unix.ELOOP},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			tt.make(r, r.at(tombstone.Home))
			yard, err := tombstone.Open(r.root)
			if err == nil {
				yard.Close()
			}
			if err == nil || (tt.want != nil && !errors.Is(err, tt.want)) {
				t.Errorf("Open = %v, want %v", err, tt.want)
			}
			if _, err := r.yard.Bury(r.folder(dead), plan, noon); err == nil {
				t.Error("a folder was buried in it")
			}
			r.wantContent("dead", dead, "app.log")
		})
	}
}

func TestASecondProcessIsLockedOut(t *testing.T) {
	r := newRig(t)
	early, err := tombstone.Open(r.root) // before there is a yard
	ok(t, err)
	defer early.Close()
	r.confirmed(dead)
	if _, err := tombstone.Open(r.root); !errors.Is(err, tombstone.ErrLocked) {
		t.Errorf("a second yard: %v, want ErrLocked", err)
	}
	if _, err := early.Bury(r.folder(live), plan, noon); !errors.Is(err, tombstone.ErrLocked) {
		t.Errorf("one opened early: %v, want ErrLocked", err)
	}
	tombstone.SetCompact(r.yard, 1)
	r.bury(live) // the journal is another file now
	if _, err := tombstone.Open(r.root); !errors.Is(err, tombstone.ErrLocked) {
		t.Errorf("after the journal was written anew: %v, want ErrLocked", err)
	}
}

func TestAClosedYardDoesNothing(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	f := r.folder(live)
	ok(t, r.yard.Close())
	_, buryErr := r.yard.Bury(f, plan, noon)
	_, purgeErr := r.yard.Purge(t.Context(), s)
	_, recoverErr := r.yard.Recover()
	for _, err := range []error{buryErr, purgeErr, recoverErr, r.yard.Confirm(s), r.yard.Restore(s)} {
		if !errors.Is(err, tombstone.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
}

func TestStonesOutliveTheProcess(t *testing.T) {
	r := newRig(t)
	odd := "or\x1bders\xff\n/containers/" + id
	r.write("odd", odd, "app.log")
	ino := inode(t, r.at(odd))
	want := r.confirmed(odd)
	want.Confirmed = true
	for range 2 {
		if got := r.again(); len(got.Restored)+len(got.Orphans)+len(got.Resumed)+got.Bad > 0 {
			t.Errorf("recovered %+v, want nothing", got)
		}
		got := r.yard.Stones()
		if len(got) != 1 || got[0] != want {
			t.Errorf("after a start: %+v\nwant %+v", got, want)
		}
	}
	ok(t, r.yard.Restore(want))
	if inode(t, r.at(odd)) != ino {
		t.Error("another inode came back")
	}
}

func TestNamesOfStonesSortByTimeAndAreNeverTwice(t *testing.T) {
	r := newRig(t)
	var all []string
	for i := range 12 {
		rel := fmt.Sprintf("s%d/%s", i, id)
		r.mkdir(rel)
		s, err := r.yard.Bury(r.folder(rel), plan, noon.Add(time.Duration(i/11)))
		ok(t, err)
		all = append(all, s.Name)
	}
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("names are %q", all)
	}
	if want := fmt.Sprintf("%019d-000-sha256_of_a_-orders-%s", noon.UnixNano(), id); all[0] != want {
		t.Errorf("the first is %q, want %q", all[0], want)
	}
	hostile := tombstone.StoneName(tombstone.Folder{Service: "../é~\n" + strings.Repeat("x", 300), Container: "/etc"}, "~/..", noon, 0)
	if !beneath.IsName(hostile) || strings.Contains(hostile, "~") || len(hostile) > 250 {
		t.Errorf("a hostile service makes %q", hostile)
	}
}

func TestWhatTheJournalDoesNotKnowIsKept(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	ok(t, os.MkdirAll(r.inYard("stranger", "inside"), 0o700))
	ok(t, os.MkdirAll(r.inYard(s.Name+"~1"), 0o700)) // a part, but nothing is being deleted
	for range 2 {
		got := r.again()
		if len(got.Orphans) != 2 || got.Orphans[0].Orphan == "" {
			t.Fatalf("orphans are %+v, want two", got.Orphans)
		}
		for _, o := range got.Orphans {
			if _, err := r.yard.Purge(t.Context(), o); err == nil {
				t.Errorf("%s was purged", o.Name)
			}
			if err := r.yard.Confirm(o); err == nil {
				t.Errorf("%s was confirmed", o.Name)
			}
		}
	}
	if len(r.yard.Stones()) != 3 || !exists(r.inYard("stranger", "inside")) {
		t.Errorf("stones are %+v", r.yard.Stones())
	}
}

func TestADamagedJournalDeletesNothing(t *testing.T) {
	tests := map[string]struct {
		find string
		want func(t *testing.T, r *rig, got tombstone.Recovery)
	}{
		"the burial is lost": {`"op":"bury"`, func(t *testing.T, r *rig, got tombstone.Recovery) {
			if len(got.Orphans) != 1 || exists(r.at(dead)) {
				t.Errorf("got %+v, want an orphan", got)
			}
		}},
		"the confirmation is lost": {`"op":"confirm"`, func(t *testing.T, r *rig, got tombstone.Recovery) {
			if len(got.Restored) != 1 {
				t.Errorf("got %+v, want it restored", got)
			}
			r.wantContent("dead", dead, "app.log")
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.confirmed(dead)
			r.shut()
			journal := r.at(tombstone.Home, tombstone.JournalName)
			b, err := os.ReadFile(journal)
			ok(t, err)
			b[bytes.Index(b, []byte(tt.find))+2] ^= 1
			ok(t, os.WriteFile(journal, b, 0o600))
			r.open()
			got := r.recover()
			if got.Bad != 1 || r.yard.Bad() != 1 {
				t.Errorf("%d bad lines, want 1", got.Bad)
			}
			tt.want(t, r, got)
		})
	}
}

// After a reboot the disk may have another number; the folder is the same.
func TestStonesOutliveAnotherDeviceNumber(t *testing.T) {
	r := newRig(t)
	r.confirmed(dead)
	r.shut()
	journal := r.at(tombstone.Home, tombstone.JournalName)
	b, err := os.ReadFile(journal)
	ok(t, err)
	rewrite(t, journal, bytes.ReplaceAll(b, []byte(`"dev":`), []byte(`"dev":7`)))
	r.open()
	if got := r.recover(); got.Bad+len(got.Orphans) > 0 {
		t.Fatalf("recovered %+v", got)
	}
	r.purge(r.yard.Stones()[0])
}

func TestTheJournalDoesNotGrowForever(t *testing.T) {
	r := newRig(t)
	keep := r.confirmed(live)
	journal := r.at(tombstone.Home, tombstone.JournalName)
	var largest int64
	for range 1500 {
		ok(t, os.MkdirAll(r.at("orders", "containers", "abcdefabcdef"), 0o755))
		ok(t, r.yard.Restore(r.bury("orders/containers/abcdefabcdef")))
		st, err := os.Stat(journal)
		ok(t, err)
		largest = max(largest, st.Size())
	}
	if largest > 1<<20 {
		t.Errorf("the journal grew to %d bytes", largest)
	}
	r.again()
	r.wantStones(live)
	ok(t, r.yard.Restore(keep))
}

// On a full disk nothing new can be allocated, and that is when it matters.
func TestAFullDiskCanBeFreed(t *testing.T) {
	r := newRig(t)
	image := filepath.Join(t.TempDir(), "disk")
	ok(t, os.WriteFile(image, nil, 0o600))
	ok(t, os.Truncate(image, 32<<20))
	disk := r.mkdir("disk")
	loop(t, image, disk)
	r.shut()
	r.path = disk
	r.open()
	const folders = 300
	for i := range folders {
		r.write(strings.Repeat("x", 4096), fmt.Sprintf("orders/%012x/app.log", i))
	}
	r.mkdir("orders", id)
	r.purge(r.confirmed("orders/" + id)) // makes the yard
	fill(t, disk)

	stones := make([]tombstone.Stone, folders)
	for i := range stones {
		stones[i] = r.bury(fmt.Sprintf("orders/%012x", i))
	}
	ok(t, r.yard.Confirm(stones...))
	var freed int64
	for _, s := range stones {
		n, err := r.yard.Purge(t.Context(), s)
		ok(t, err)
		freed += n
	}
	if freed != folders*4096 {
		t.Errorf("freed %d bytes, want %d", freed, folders*4096)
	}
	r.again()
	r.wantStones()
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"op":"bury","stone":{"name":"1-2","rel":"a/b"},"rel":"/w=="}`))
	f.Add([]byte(`{"op":"gone","name":"x"}`))
	f.Add([]byte(`{"op":"bury","stone":null}`))
	f.Add([]byte(`{"op":"bury","stone":{"name":"../x~1"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := tombstone.Decode(b)
		if err == nil && s != nil && (!beneath.IsName(s.Name) || strings.Contains(s.Name, "~")) {
			t.Errorf("%q makes a stone of the name %q", b, s.Name)
		}
	})
}
