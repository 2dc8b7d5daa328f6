package tombstone_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/tombstone"
)

func TestPurgeNeedsConfirmation(t *testing.T) {
	r := newRig(t)
	s := r.bury(dead)
	s.Confirmed = true // saying so is not enough
	if _, err := r.yard.Purge(t.Context(), s); !errors.Is(err, tombstone.ErrUnconfirmed) {
		t.Errorf("got %v, want ErrUnconfirmed", err)
	}
	r.wantContent("dead", tombstone.Home, tombstone.StonesName, s.Name, "app.log")
}

func TestPurgeDeletesWhateverIsInside(t *testing.T) {
	r := newRig(t)
	x := r.mkdir(dead, "a", "b")
	outside := r.write(strings.Repeat("o", 4096), "outside", "file")
	for _, name := range []string{"line\nbreak", "\x1b[2J", "not\xffutf8", "-rf", "~1", strings.Repeat("x", 255)} {
		r.write(strings.Repeat("x", 4096), dead, "a", name)
	}
	ok(t, os.Link(outside, x+"/linked"))
	ok(t, os.Symlink(r.at("outside"), x+"/link"))
	ok(t, os.Symlink("/proc/self/root", x+"/magic"))
	ok(t, os.Symlink("loop", x+"/loop"))
	ok(t, unix.Mkfifo(x+"/pipe", 0o600))
	ok(t, unix.Mknod(x+"/null", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))))
	ok(t, os.Truncate(r.write("", dead, "sparse"), 1<<40))
	closed := r.mkdir(dead, "closed", "more")
	ok(t, os.Chmod(closed, 0))
	ok(t, os.Chown(r.at(dead, "closed"), 4242, 4242))
	ok(t, os.Chmod(r.at(dead, "closed"), 0))

	freed := r.purge(r.confirmed(dead))
	if want := int64(6*4096 + 4096); freed != want { // and app.log
		t.Errorf("freed %d bytes, want %d", freed, want)
	}
	r.wantContent(strings.Repeat("o", 4096), "outside", "file")
	r.wantContent("alive", live, "app.log")
}

func TestPurgeStopsAtAMount(t *testing.T) {
	tests := map[string]func(r *rig, at string){
		"bind of the same file system": func(r *rig, at string) { r.mount(r.at(live), at, "", unix.MS_BIND) },
		"tmpfs": func(r *rig, at string) {
			r.mount("none", at, "tmpfs", 0)
			ok(r, os.WriteFile(at+"/app.log", []byte("alive"), 0o600))
		},
	}
	for name, make := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			at := r.mkdir(dead, "a", "mounted")
			r.write("", dead, "a", "other")
			make(r, at)
			s := r.confirmed(dead)
			moved := r.inYard(s.Name, "a", "mounted")
			t.Cleanup(func() { _ = unix.Unmount(moved, unix.MNT_DETACH) })
			for range 2 {
				_, err := r.yard.Purge(t.Context(), s)
				if !errors.Is(err, beneath.ErrMount) || !strings.Contains(err.Error(), `"a/mounted"`) {
					t.Errorf("got %v, want ErrMount at a/mounted", err)
				}
			}
			if b, err := os.ReadFile(moved + "/app.log"); err != nil || string(b) != "alive" {
				t.Errorf("the mount has %q (%v)", b, err)
			}
			if exists(r.inYard(s.Name, "a", "other")) {
				t.Error("what is beside the mount was not deleted")
			}
			if got := r.yard.Stones(); len(got) != 1 || !strings.Contains(got[0].Fault, "mounted") {
				t.Errorf("stones are %+v, want the fault kept", got)
			}
			ok(t, unix.Unmount(moved, 0))
			r.purge(s)
		})
	}
}

func TestAMountOnAFileIsNamed(t *testing.T) {
	r := newRig(t)
	r.mount(r.at(live, "app.log"), r.at(dead, "app.log"), "", unix.MS_BIND)
	s := r.confirmed(dead)
	moved := r.inYard(s.Name, "app.log")
	t.Cleanup(func() { _ = unix.Unmount(moved, unix.MNT_DETACH) })
	if _, err := r.yard.Purge(t.Context(), s); !errors.Is(err, beneath.ErrMount) || !strings.Contains(err.Error(), "app.log") {
		t.Errorf("got %v, want ErrMount at app.log", err)
	}
	ok(t, unix.Unmount(moved, 0))
	r.purge(s)
	r.wantContent("alive", live, "app.log")
}

func TestAnImmutableFileIsReportedAndTheRestDeleted(t *testing.T) {
	r := newRig(t)
	disk := r.mkdir("disk")
	image := r.at("image")
	ok(t, os.WriteFile(image, nil, 0o600))
	ok(t, os.Truncate(image, 16<<20))
	loop(t, image, disk)
	r.shut()
	r.path = disk
	r.open()
	for i := range 20 {
		r.write("", dead, fmt.Sprint(i))
		immutable(t, r.at(dead, fmt.Sprint(i)), i%2 == 0)
	}
	r.write("", dead, "a", "fixed")
	immutable(t, r.at(dead, "a"), true)
	s := r.confirmed(dead)
	_, err := r.yard.Purge(t.Context(), s)
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "chattr") || !strings.Contains(err.Error(), "and 3 more") {
		t.Errorf("got %v, want EPERM, the cure, and 3 more", err)
	}
	left := names(t, r.inYard(s.Name))
	if len(left) != 11 {
		t.Errorf("left are %q, want the 10 immutable files and a", left)
	}
	for _, name := range left {
		immutable(t, r.inYard(s.Name, name), false)
	}
	r.purge(s)
}

// immutableFlag is FS_IMMUTABLE_FL of linux/fs.h.
const immutableFlag = 0x10

func immutable(t *testing.T, path string, on bool) {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY, 0)
	ok(t, err)
	defer unix.Close(fd)
	flags, err := unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS)
	ok(t, err)
	if flags &^= immutableFlag; on {
		flags |= immutableFlag
	}
	ok(t, unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, flags))
}

func TestAPurgeWithoutTheRightSaysSo(t *testing.T) {
	r := newRig(t)
	r.mkdir(dead, "closed", "more")
	ok(t, os.Chmod(r.at(dead, "closed"), 0))
	s := r.confirmed(dead)
	without(t, []int{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH}, func() {
		_, err := r.yard.Purge(context.Background(), s)
		if !errors.Is(err, unix.EACCES) || !strings.Contains(err.Error(), `"closed"`) || !strings.Contains(err.Error(), "CAP_DAC_OVERRIDE") {
			t.Errorf("got %v, want EACCES, the folder and the right", err)
		}
	})
	if exists(r.inYard(s.Name, "app.log")) {
		t.Error("the rest was not deleted")
	}
	r.purge(s)
}

func TestATreeOfAnyDepthIsDeleted(t *testing.T) {
	for _, levels := range []int{tombstone.MaxDepth - 1, tombstone.MaxDepth, tombstone.MaxDepth + 1, 3000, 25_000} {
		t.Run(fmt.Sprint(levels), func(t *testing.T) {
			r := newRig(t)
			deep(t, r.mkdir(dead), levels)
			deep(t, r.mkdir(dead, "second"), 100)
			s := r.confirmed(dead)
			var limit unix.Rlimit
			ok(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
			low := limit
			low.Cur = uint64(len(names(t, "/proc/self/fd")) + tombstone.MaxDepth + 16)
			ok(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &low))
			_, err := r.yard.Purge(t.Context(), s)
			ok(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
			ok(t, err)
			r.wantStones()
			if left := names(t, r.inYard()); len(left) > 0 {
				t.Errorf("left are %q", left)
			}
		})
	}
}

// Whoever still has the folder open can write into it, and does so as fast as
// he can.
func TestAWriterThatNeverStopsDoesNotHoldAPurgeUp(t *testing.T) {
	r := newRig(t)
	sub := openPath(t, r.mkdir(dead, "sub"))
	s := r.confirmed(dead)
	var n int
	stop := during(t, func() error {
		n++
		fd, err := unix.Openat(sub, fmt.Sprint(n), unix.O_CREAT|unix.O_WRONLY, 0o600)
		if err == nil {
			err = unix.Close(fd)
		}
		return err
	})
	began := time.Now()
	_, err := r.yard.Purge(t.Context(), s)
	took := time.Since(began)
	made := stop()
	if took > 10*time.Second {
		t.Errorf("the purge took %v", took)
	}
	if err != nil && !errors.Is(err, tombstone.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	t.Logf("%d files were made in %v: %v", made, took, err)
	if err != nil {
		r.purge(s)
	}
}

// Somebody who still has the folder open exchanges a folder in it with a link
// to the outside and with one to a live neighbour.
func TestNothingOutsideIsDeletedThroughASwappedLink(t *testing.T) {
	r := newRig(t)
	outside := t.TempDir()
	for i := range 20 {
		ok(t, os.WriteFile(fmt.Sprintf("%s/%d", outside, i), nil, 0o600))
		r.write("", live, fmt.Sprint(i))
	}
	var swaps, rounds int
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); rounds++ {
		for i := range 20 {
			r.write("", dead, "a", "b", fmt.Sprint(i))
			r.write("", dead, "d", "b", fmt.Sprint(i))
		}
		ok(t, os.Symlink(outside, r.at(dead, "c")))
		ok(t, os.Symlink(r.at(live), r.at(dead, "e")))
		fd := openPath(t, r.at(dead))
		s := r.confirmed(dead)
		stop := during(t, func() error { return errors.Join(exchange(fd, "a", "c"), exchange(fd, "d", "e")) })
		_, err := r.yard.Purge(t.Context(), s)
		swaps += stop()
		if err != nil {
			r.purge(s)
		}
		if a, b := len(names(t, outside)), len(names(t, r.at(live))); a != 20 || b != 21 {
			t.Fatalf("canaries left: %d of 20 outside, %d of 21 next door", a, b)
		}
	}
	t.Logf("%d exchanges in %d purges", swaps, rounds)
	if swaps == 0 {
		t.Error("nothing was exchanged")
	}
}

func TestAPurgeEndsWithItsContextAndGoesOnNextTime(t *testing.T) {
	r := newRig(t)
	for i := range 5000 {
		r.write("", dead, fmt.Sprint(i))
	}
	s := r.confirmed(dead)
	ctx, cancel := context.WithCancel(t.Context())
	r.before("unlinkat", cancel)
	if _, err := r.yard.Purge(ctx, s); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	r.wantStones(dead)
	r.purge(s)
}

func TestStonesArePurgedSideBySide(t *testing.T) {
	r := newRig(t)
	var stones []tombstone.Stone
	for i := range 16 {
		rel := fmt.Sprintf("s%d/%s", i, id)
		for j := range 20 {
			r.write(strings.Repeat("x", 4096), rel, fmt.Sprint(j))
		}
		deep(t, r.at(rel), 100)
		stones = append(stones, r.confirmed(rel))
	}
	var freed sync.Map
	var wg sync.WaitGroup
	for i, s := range append(stones, stones...) { // each one twice
		wg.Go(func() {
			n, err := r.yard.Purge(t.Context(), s)
			if err != nil && !errors.Is(err, tombstone.ErrPurging) && !errors.Is(err, tombstone.ErrUnknown) {
				t.Error(err)
			}
			freed.Store(i, n)
			r.yard.Stones()
		})
	}
	wg.Wait()
	var total int64
	freed.Range(func(_, n any) bool { total += n.(int64); return true })
	if want := int64(16 * 20 * 4096); total != want {
		t.Errorf("freed %d bytes, want %d", total, want)
	}
	r.wantStones()
	if left := names(t, r.inYard()); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}

func TestAStoneThatSomebodyRemovedIsForgotten(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	ok(t, os.RemoveAll(r.inYard(s.Name)))
	if _, err := r.yard.Purge(t.Context(), s); !errors.Is(err, tombstone.ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	r.wantStones()
}

func TestAHundredThousandFilesArePurgedInBoundedMemory(t *testing.T) {
	const files = 100_000
	r := newRig(t)
	disk := r.mkdir("disk")
	r.mount("none", disk, "tmpfs", 0)
	r.shut()
	r.path = disk
	r.open()
	first := r.write("", dead, "0")
	for i := range files - 1 {
		ok(t, os.Link(first, r.at(dead, fmt.Sprint(i+1))))
	}
	s := r.confirmed(dead)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var peak uint64
	calls := 0
	kernel.Intercept(t, func(_ kernel.Call, do func() error) error {
		if calls++; calls%1000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
		}
		return do()
	})
	r.purge(s)
	if peak > 1<<20 {
		t.Errorf("%d bytes on the heap, want at most 1 MiB", peak)
	}
	t.Logf("peak %d bytes", peak)
}
