package beneath_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

func TestOpenDirFollowsNothing(t *testing.T) {
	eachWay(t, func(t *testing.T, path string, open func(string) *beneath.Root) {
		outside := tempDir(t)
		mkdir(t, path, "service", "folder")
		write(t, "", path, "file")
		ok(t, os.Symlink("service", path+"/inside"))
		ok(t, os.Symlink(outside, path+"/outside"))
		ok(t, os.Symlink("..", path+"/up"))
		ok(t, os.Symlink("/proc/self/root", path+"/magic"))
		ok(t, unix.Mkfifo(path+"/pipe", 0o600))
		ok(t, unix.Mknod(path+"/null", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))))
		mount(t, path+"/service", mkdir(t, path, "bind"), "", unix.MS_BIND)
		mount(t, "none", mkdir(t, path, "tmpfs"), "tmpfs", 0)
		root := open(path)
		tests := map[string]error{
			"service": nil, "service/folder": nil, "": nil, ".": nil,
			"file": beneath.ErrNotFolder, "pipe": beneath.ErrNotFolder, "null": beneath.ErrNotFolder,
			"inside": beneath.ErrSymlink, "inside/folder": beneath.ErrSymlink, "outside": beneath.ErrSymlink,
			"up": beneath.ErrSymlink, "magic": beneath.ErrSymlink,
			"bind": beneath.ErrMount, "bind/folder": beneath.ErrMount, "tmpfs": beneath.ErrMount,
			"absent": unix.ENOENT, "service/absent": unix.ENOENT,
			"..": beneath.ErrName, "service/..": beneath.ErrName, "service/../service": beneath.ErrName,
			"/": beneath.ErrName, "/etc": beneath.ErrName, "service/": beneath.ErrName, "service//folder": beneath.ErrName,
			"service/./folder": beneath.ErrName, "a\x00b": beneath.ErrName,
		}
		for rel, want := range tests {
			d, err := root.OpenDir(rel)
			if !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("OpenDir(%q) = %v, want %v", rel, err, want)
			}
			if err == nil {
				ok(t, d.Close())
				ok(t, d.Close())
			}
		}
	})
}

func TestOneStepIsOneComponent(t *testing.T) {
	path := tempDir(t)
	mkdir(t, path, "a", "b")
	d := must(must(beneath.Open(path))(t).OpenDir(""))(t)
	for _, name := range []string{"", ".", "..", "a/b", "a/", "/a", "a\x00"} {
		if _, err := d.OpenDir(name); !errors.Is(err, beneath.ErrName) {
			t.Errorf("OpenDir(%q) = %v, want ErrName", name, err)
		}
		if _, _, err := d.Look(name); !errors.Is(err, beneath.ErrName) {
			t.Errorf("Look(%q) = %v, want ErrName", name, err)
		}
	}
}

func TestLookSaysWhatAnEntryIs(t *testing.T) {
	eachWay(t, func(t *testing.T, path string, open func(string) *beneath.Root) {
		mkdir(t, path, "folder")
		write(t, "x", path, "file")
		ok(t, os.Symlink("folder", path+"/link"))
		mount(t, path+"/folder", mkdir(t, path, "bind"), "", unix.MS_BIND)
		d := must(open(path).OpenDir(""))(t)
		for name, want := range map[string]beneath.Kind{"folder": beneath.Folder, "file": beneath.File, "link": beneath.Other} {
			id, kind, err := d.Look(name)
			if err != nil || kind != want {
				t.Errorf("Look(%q) = %v, %v, want kind %v", name, kind, err, want)
			}
			var st unix.Stat_t
			ok(t, unix.Lstat(filepath.Join(path, name), &st))
			if id.Ino != st.Ino || id.Dev != st.Dev {
				t.Errorf("Look(%q) = %+v, want inode %d on %d", name, id, st.Ino, st.Dev)
			}
		}
		if _, _, err := d.Look("bind"); !errors.Is(err, beneath.ErrMount) {
			t.Errorf("Look at a mount: %v, want ErrMount", err)
		}
		opened := must(d.OpenDir("folder"))(t)
		want, err := opened.Identity()
		ok(t, err)
		if got, _, err := d.Look("folder"); err != nil || got != want {
			t.Errorf("looked at %+v (%v), opened %+v", got, err, want)
		}
	})
}

// An inode number comes again as soon as its folder is gone; that is why the
// time of birth counts.
func TestAFolderMadeAgainIsAnother(t *testing.T) {
	path := tempDir(t)
	d := must(must(beneath.Open(path))(t).OpenDir(""))(t)
	mkdir(t, path, "x")
	before, _, err := d.Look("x")
	ok(t, err)
	ok(t, os.Remove(path+"/x"))
	mkdir(t, path, "x")
	after, _, err := d.Look("x")
	ok(t, err)
	if before.Same(after) {
		t.Errorf("%+v and %+v are the same", before, after)
	}
	after = before
	after.Mount++
	if !before.Same(after) {
		t.Error("a remount made another folder of it")
	}
}

func TestEntriesGivesEveryNameAndItsKind(t *testing.T) {
	path := tempDir(t)
	want := []beneath.Entry{
		{"\x1b[2J", beneath.File},
		{"line\nbreak", beneath.Folder},
		{"not\xffutf8", beneath.File},
		{"pipe", beneath.Other},
		{strings.Repeat("x", 255), beneath.File},
	}
	for _, e := range want {
		switch e.Kind {
		case beneath.Folder:
			mkdir(t, path, e.Name)
		case beneath.File:
			write(t, "", path, e.Name)
		default:
			ok(t, unix.Mkfifo(path+"/"+e.Name, 0o600))
		}
	}
	d := must(must(beneath.Open(path))(t).OpenDir(""))(t)
	for range 2 { // the second time from the beginning again
		var got []beneath.Entry
		ok(t, d.Entries(func(batch []beneath.Entry) error { got = append(got, batch...); return nil }))
		slices.SortFunc(got, func(a, b beneath.Entry) int { return strings.Compare(a.Name, b.Name) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entries (-want +got):\n%s", diff)
		}
	}
	stop := errors.New("stop")
	if err := d.Entries(func([]beneath.Entry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the visitor's error", err)
	}
}

func TestAFolderOfAHundredThousandIsReadInBoundedMemory(t *testing.T) {
	const files = 100_000
	path := tempDir(t)
	mount(t, "none", path, "tmpfs", 0)
	write(t, "", path, "0")
	for i := range files - 1 {
		ok(t, os.Link(path+"/0", fmt.Sprintf("%s/%d", path, i+1)))
	}
	d := must(must(beneath.Open(path))(t).OpenDir(""))(t)
	var before, now runtime.MemStats
	var seen int
	var peak uint64
	runtime.GC()
	runtime.ReadMemStats(&before)
	ok(t, d.Entries(func(batch []beneath.Entry) error {
		if seen += len(batch); seen%16 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
		}
		return nil
	}))
	if seen != files || peak > 1<<20 {
		t.Errorf("saw %d of %d entries, with %d bytes on the heap, want at most 1 MiB", seen, files, peak)
	}
}

// dirent is a record as the kernel writes it.
func dirent(name string, kind byte) []byte {
	size := (19 + len(name) + 1 + 7) &^ 7
	b := make([]byte, size)
	binary.NativeEndian.PutUint16(b[16:], uint16(size))
	b[18] = kind
	copy(b[19:], name)
	return b
}

func TestDirentsThatDoNotFitAreLeftOut(t *testing.T) {
	whole := slices.Concat(dirent(".", unix.DT_DIR), dirent("..", unix.DT_DIR), dirent("a", unix.DT_REG), dirent("b", unix.DT_UNKNOWN))
	want := []beneath.Entry{{"a", beneath.File}, {"b", beneath.Unknown}}
	if diff := cmp.Diff(want, beneath.ParseDirents(whole)); diff != "" {
		t.Errorf("whole (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:1], beneath.ParseDirents(whole[:len(whole)-1])); diff != "" {
		t.Errorf("torn (-want +got):\n%s", diff)
	}
	if got := beneath.ParseDirents(dirent("../etc", unix.DT_DIR)); len(got) != 0 {
		t.Errorf("a name with a slash gave %v", got)
	}
}

func TestABatchIsInTheOrderOfTheInodes(t *testing.T) {
	late, early := dirent("late", unix.DT_REG), dirent("early", unix.DT_DIR)
	binary.NativeEndian.PutUint64(late, 1<<40)
	binary.NativeEndian.PutUint64(early, 12)
	want := []beneath.Entry{{"early", beneath.Folder}, {"late", beneath.File}}
	if diff := cmp.Diff(want, beneath.ParseDirents(slices.Concat(late, early))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzParseDirents(f *testing.F) {
	f.Add(slices.Concat(dirent("a", unix.DT_REG), dirent("b", unix.DT_DIR)))
	f.Add(make([]byte, 64))
	f.Add(dirent("a/b", unix.DT_DIR)[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, e := range beneath.ParseDirents(b) {
			if !beneath.IsName(e.Name) {
				t.Errorf("%q is not a name", e.Name)
			}
		}
	})
}
