package tombstone_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// The folder most tests bury, and its live neighbour.
const (
	dead = "orders/containers/9a20c1d4e5f6"
	live = "orders/containers/4f1c8b7a6d5e"
	id   = "9a20c1d4e5f6"
	plan = "sha256-of-a-plan"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// A rig is a log root with a dead and a live folder, and its yard.
type rig struct {
	testing.TB
	path string
	root *beneath.Root
	yard *tombstone.Yard
}

func newRig(t testing.TB) *rig {
	t.Helper()
	path, err := filepath.EvalSymlinks(t.TempDir())
	ok(t, err)
	r := &rig{TB: t, path: path}
	r.write("dead", dead, "app.log")
	r.write("alive", live, "app.log")
	r.open()
	t.Cleanup(r.shut)
	return r
}

// open opens the root and the yard, as after a start.
func (r *rig) open() {
	r.Helper()
	var err error
	r.root, err = beneath.Open(r.path)
	ok(r, err)
	r.yard, err = tombstone.Open(r.root)
	ok(r, err)
}

func (r *rig) shut() {
	ok(r, r.yard.Close())
	ok(r, r.root.Close())
}

// again is a new process with the same root.
func (r *rig) again() tombstone.Recovery {
	r.Helper()
	r.shut()
	r.open()
	return r.recover()
}

func (r *rig) recover() tombstone.Recovery {
	r.Helper()
	got, err := r.yard.Recover()
	ok(r, err)
	return got
}

func (r *rig) at(parts ...string) string {
	return filepath.Join(append([]string{r.path}, parts...)...)
}

// inYard is a path among the stones.
func (r *rig) inYard(parts ...string) string {
	return r.at(append([]string{tombstone.Home, tombstone.StonesName}, parts...)...)
}

func (r *rig) mkdir(parts ...string) string {
	r.Helper()
	ok(r, os.MkdirAll(r.at(parts...), 0o755))
	return r.at(parts...)
}

func (r *rig) write(content string, parts ...string) string {
	r.Helper()
	path := r.at(parts...)
	ok(r, os.MkdirAll(filepath.Dir(path), 0o755))
	ok(r, os.WriteFile(path, []byte(content), 0o644))
	return path
}

// folder describes a folder as it is now.
func (r *rig) folder(rel string) tombstone.Folder {
	r.Helper()
	parent, err := r.root.OpenDir(filepath.Dir(rel))
	ok(r, err)
	defer parent.Close()
	identity, _, err := parent.Look(filepath.Base(rel))
	ok(r, err)
	return tombstone.Folder{Rel: rel, Service: "orders", Container: filepath.Base(rel), Identity: identity, Bytes: -1, Files: -1}
}

func (r *rig) bury(rel string) tombstone.Stone {
	r.Helper()
	s, err := r.yard.Bury(r.folder(rel), plan, noon)
	ok(r, err)
	return s
}

// confirmed buries a folder and confirms the stone.
func (r *rig) confirmed(rel string) tombstone.Stone {
	r.Helper()
	s := r.bury(rel)
	ok(r, r.yard.Confirm(s))
	return s
}

// purge is a purge that must succeed and leave nothing.
func (r *rig) purge(s tombstone.Stone) int64 {
	r.Helper()
	freed, err := r.yard.Purge(r.Context(), s)
	ok(r, err)
	r.wantStones()
	if left := names(r, r.inYard()); len(left) > 0 {
		r.Errorf("the yard still has %q", left)
	}
	return freed
}

// wantStones checks which folders the yard says it has, and that they are there.
func (r *rig) wantStones(rels ...string) {
	r.Helper()
	stones := r.yard.Stones()
	var got []string
	for _, s := range stones {
		got = append(got, s.Rel)
		if _, err := os.Lstat(r.inYard(s.Name)); err != nil {
			r.Errorf("stone of %s: %v", s.Rel, err)
		}
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", rels) {
		r.Errorf("the yard has %q, want %q", got, rels)
	}
}

func (r *rig) wantContent(want string, parts ...string) {
	r.Helper()
	if got, err := os.ReadFile(r.at(parts...)); err != nil || string(got) != want {
		r.Errorf("%v has %q (%v), want %q", parts, got, err, want)
	}
}

// mount mounts for the length of the test.
func (r *rig) mount(source, target, kind string, flags uintptr) {
	r.Helper()
	ok(r, unix.Mount(source, target, kind, flags, ""))
	r.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) })
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	ok(t, err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func inode(t testing.TB, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	ok(t, unix.Lstat(path, &st))
	return st.Ino
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// deep makes a chain of folders, all of the same name, with a file in the last.
func deep(t testing.TB, top string, levels int) {
	t.Helper()
	fd, err := unix.Open(top, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	ok(t, err)
	for range levels {
		ok(t, unix.Mkdirat(fd, "d", 0o755))
		next, err := unix.Openat(fd, "d", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		ok(t, err)
		unix.Close(fd)
		fd = next
	}
	ok(t, unix.Mknodat(fd, "pipe", unix.S_IFIFO|0o600, 0))
	unix.Close(fd)
}

// during runs f again and again until it is stopped, which says how often f
// had done something. It ends with the test in any case, before what the test
// had opened earlier is closed.
func during(t testing.TB, f func() error) (stop func() int) {
	t.Helper()
	done := make(chan struct{})
	var wg sync.WaitGroup
	var n int
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if f() == nil {
					n++
				}
			}
		}
	})
	stop = sync.OnceValue(func() int {
		close(done)
		wg.Wait()
		return n
	})
	t.Cleanup(func() { stop() })
	return stop
}

// openPath opens a folder as somebody who is in it.
func openPath(t testing.TB, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	ok(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func exchange(fd int, a, b string) error {
	return unix.Renameat2(fd, a, fd, b, unix.RENAME_EXCHANGE)
}
