package beneath_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

func measure(t *testing.T, root *beneath.Root, limits beneath.Limits) (beneath.Usage, error) {
	t.Helper()
	return must(root.OpenDir("x"))(t).Measure(t.Context(), limits)
}

func TestMeasureCountsWhatWouldComeFree(t *testing.T) {
	eachWay(t, func(t *testing.T, dir string, open func(string) *beneath.Root) {
		x := mkdir(t, dir, "x", "sub")
		write(t, strings.Repeat("a", 8192), x, "two")
		write(t, strings.Repeat("a", 4096), dir, "outside")
		ok(t, os.Link(dir+"/outside", x+"/linked"))
		ok(t, os.Truncate(write(t, "", x, "sparse"), 1<<40))
		ok(t, os.Symlink("/etc/passwd", x+"/link"))
		ok(t, unix.Mkfifo(x+"/pipe", 0o600))
		ok(t, unix.Mknod(x+"/null", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))))
		future := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
		ok(t, os.Chtimes(x+"/two", future, future))

		got, err := measure(t, open(dir), beneath.Limits{Inodes: 2})
		ok(t, err)
		if got.Bytes != 8192 || got.Files != 6 || got.Folders != 1 || got.Truncated || len(got.Inodes) != 2 {
			t.Errorf("got %+v, want 8192 bytes, 6 files, 1 folder, 2 inodes", got)
		}
		if !got.Written.Equal(future) {
			t.Errorf("written %v, want %v", got.Written, future)
		}
	})
}

// Who writes can set a file's time of content back, but not that of its
// status.
func TestMeasureIsNotFooledByTouch(t *testing.T) {
	dir := tempDir(t)
	x := mkdir(t, dir, "x")
	began := time.Now().Add(-time.Second)
	old := time.Unix(1e9, 0)
	ok(t, os.Chtimes(write(t, "", x, "file"), old, old))
	ok(t, os.Chtimes(x, old, old))
	got, err := measure(t, must(beneath.Open(dir))(t), beneath.Limits{})
	ok(t, err)
	if got.Written.Before(began) {
		t.Errorf("written %v, want about now", got.Written)
	}
}

func TestMeasureReportsAMountAndWhere(t *testing.T) {
	tests := map[string]func(t *testing.T, dir string, at string){
		"bind of the same file system": func(t *testing.T, dir, at string) {
			mount(t, mkdir(t, dir, "other"), mkdir(t, at), "", unix.MS_BIND)
		},
		"tmpfs": func(t *testing.T, _, at string) { mount(t, "none", mkdir(t, at), "tmpfs", 0) },
	}
	for name, make := range tests {
		t.Run(name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, dir string, open func(string) *beneath.Root) {
				mkdir(t, dir, "x", "a")
				make(t, dir, filepath.Join(dir, "x", "a", "mounted"))
				_, err := measure(t, open(dir), beneath.Limits{})
				if !errors.Is(err, beneath.ErrMount) || !strings.Contains(err.Error(), `"a/mounted"`) {
					t.Errorf("got %v, want ErrMount at a/mounted", err)
				}
			})
		})
	}
}

func TestMeasureReportsAMountOnAFile(t *testing.T) {
	dir := tempDir(t)
	at := write(t, "", mkdir(t, dir, "x"), "file")
	mount(t, write(t, "", dir, "other"), at, "", unix.MS_BIND)
	if _, err := measure(t, must(beneath.Open(dir))(t), beneath.Limits{}); !errors.Is(err, beneath.ErrMount) {
		t.Errorf("got %v, want ErrMount", err)
	}
}

func TestMeasureGoesAsDeepAsItGets(t *testing.T) {
	eachWay(t, func(t *testing.T, dir string, open func(string) *beneath.Root) {
		const levels = 3000
		deep(t, mkdir(t, dir, "x"), levels)
		var open1, open2 unix.Rlimit
		ok(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &open1))
		open2 = open1
		open2.Cur = uint64(highestFd(t) + beneath.MaxOpen + 10)
		root := open(dir)
		ok(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &open2))
		got, err := measure(t, root, beneath.Limits{})
		ok(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &open1))
		ok(t, err)
		if got.Folders != levels || got.Files != 1 || got.Bytes == 0 || got.Truncated {
			t.Errorf("got %+v, want %d folders and a file", got, levels)
		}
	})
}

func highestFd(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	ok(t, err)
	highest := 0
	for _, e := range entries {
		var n int
		_, err := fmt.Sscan(e.Name(), &n)
		ok(t, err)
		highest = max(highest, n)
	}
	return highest
}

func TestMeasureSaysWhenItWasNotAll(t *testing.T) {
	dir := tempDir(t)
	x := mkdir(t, dir, "x")
	for i := range 10 {
		write(t, "", x, fmt.Sprint(i))
	}
	root := must(beneath.Open(dir))(t)
	for name, limits := range map[string]beneath.Limits{"entries": {Entries: 9}, "time": {Time: 1}} {
		if got, err := measure(t, root, limits); err != nil || !got.Truncated {
			t.Errorf("%s: got %+v, %v, want it truncated", name, got, err)
		}
	}
	if got, err := measure(t, root, beneath.Limits{Entries: 10}); err != nil || got.Truncated || got.Files != 10 {
		t.Errorf("got %+v, %v, want all 10 files", got, err)
	}
}

func TestSeveralDeepBranchesAreAllCounted(t *testing.T) {
	const branches = 10
	dir := tempDir(t)
	x := mkdir(t, dir, "x", strings.Repeat("d/", beneath.MaxOpen-1))
	for i := range branches {
		write(t, "x", mkdir(t, x, fmt.Sprint(i), "below"), "file")
	}
	got, err := measure(t, must(beneath.Open(dir))(t), beneath.Limits{})
	if want := int64(beneath.MaxOpen - 1 + 2*branches); err != nil || got.Truncated || got.Folders != want || got.Files != branches {
		t.Errorf("got %+v, %v, want %d folders and %d files", got, err, want, branches)
	}
}

func TestATreeDeepAndWideIsTruncated(t *testing.T) {
	dir := tempDir(t)
	x := mkdir(t, dir, "x", strings.Repeat("d/", beneath.MaxOpen-1))
	for i := range 100 {
		mkdir(t, x, fmt.Sprint(i), "below")
	}
	got, err := measure(t, must(beneath.Open(dir))(t), beneath.Limits{})
	if err != nil || !got.Truncated || got.Folders < 100 {
		t.Errorf("got %+v, %v, want it truncated", got, err)
	}
}

func TestMeasureEndsWithItsContext(t *testing.T) {
	dir := tempDir(t)
	mkdir(t, dir, "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := must(must(beneath.Open(dir))(t).OpenDir("x"))(t).Measure(ctx, beneath.Limits{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// While somebody exchanges a folder and a link to the outside, as fast as the
// kernel lets him, nothing of the outside is ever looked at.
func TestASwappedLinkIsNeverFollowed(t *testing.T) {
	eachWay(t, func(t *testing.T, dir string, open func(string) *beneath.Root) {
		outside := tempDir(t)
		write(t, "", outside, "canary")
		mkdir(t, dir, "x", "a")
		ok(t, os.Symlink(outside, dir+"/x/b"))
		stop := swap(t, dir+"/x/a", dir+"/x/b")
		root := open(dir)
		var entered int
		for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
			got, err := measure(t, root, beneath.Limits{Inodes: 1})
			ok(t, err)
			if len(got.Inodes) > 0 {
				t.Fatal("the canary was looked at")
			}
			if d, err := root.OpenDir("x/a"); err == nil {
				entered++
				d.Close()
			} else if !errors.Is(err, beneath.ErrSymlink) && !errors.Is(err, beneath.ErrNotFolder) {
				t.Fatal(err)
			}
		}
		if stop() == 0 || entered == 0 {
			t.Error("nothing was swapped, or nothing entered")
		}
	})
}

// swap exchanges two names until it is stopped, and says how often it has.
func swap(t *testing.T, a, b string) (stop func() int) {
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
				if unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) == nil {
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
