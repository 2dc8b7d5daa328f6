package disk_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/disk"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mounted mounts for the length of the test.
func mounted(t testing.TB, source, target, kind, options string) {
	t.Helper()
	ok(t, os.MkdirAll(target, 0o755))
	ok(t, unix.Mount(source, target, kind, 0, options))
	t.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH) })
}

// memory mounts a file system of 100 MiB.
func memory(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "memory")
	mounted(t, "tmpfs", dir, "tmpfs", "size=100m")
	return dir
}

// loop makes an ext4 file system of so many MiB and inodes in a file, and
// mounts it. It keeps nothing for root.
func loop(t testing.TB, mib, inodes int) string {
	t.Helper()
	dir := t.TempDir()
	image, target := filepath.Join(dir, "image"), filepath.Join(dir, "mnt")
	ok(t, os.WriteFile(image, nil, 0o600))
	ok(t, os.Truncate(image, int64(mib)<<20))
	ok(t, os.Mkdir(target, 0o755))
	for _, args := range [][]string{
		{"mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096", "-N", fmt.Sprint(inodes), image},
		{"mount", "-o", "loop", image, target},
	} {
		if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", args, err, out)
		}
	}
	t.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH) })
	return target
}

// use makes so many MiB of a file system used, by one file that it makes or
// resizes.
func use(t testing.TB, dir string, mib float64) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, "filler"), os.O_CREATE|os.O_WRONLY, 0o600)
	ok(t, err)
	defer file.Close()
	size := int64(mib * (1 << 20))
	ok(t, file.Truncate(size))
	if size > 0 {
		ok(t, unix.Fallocate(int(file.Fd()), 0, 0, size))
	}
}

// fill takes every last block.
func fill(t testing.TB, dir string) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "filler"))
	ok(t, err)
	defer file.Close()
	for size := 1 << 20; size >= 512; {
		_, err := file.Write(make([]byte, size))
		if errors.Is(err, unix.ENOSPC) {
			size /= 2
			continue
		}
		ok(t, err)
	}
	ok(t, file.Sync())
}

// fillInodes takes every last inode.
func fillInodes(t testing.TB, dir string) {
	t.Helper()
	for i := 0; ; i++ {
		err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600)
		if errors.Is(err, unix.ENOSPC) {
			return
		}
		ok(t, err)
	}
}

// A watched is a Monitor that runs, and what it has told.
type watched struct {
	*disk.Monitor
	stop func() // also run at the end of the test

	mu     sync.Mutex // guards states
	states []disk.State
}

// start runs a Monitor of some paths.
func start(t *testing.T, set func(*disk.Monitor), paths ...string) *watched {
	t.Helper()
	w := &watched{Monitor: &disk.Monitor{
		Paths: func() []string { return paths }, Limits: usual, Log: slog.New(slog.DiscardHandler),
	}}
	w.Changed = func(s disk.State) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.states = append(w.states, s)
	}
	if set != nil {
		set(w.Monitor)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stopped := false
	w.stop = func() {
		if cancel(); !stopped {
			stopped = true
			ok(t, <-ended)
		}
	}
	t.Cleanup(w.stop)
	return w
}

// told is what Changed was called with.
func (w *watched) told() []disk.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.states)
}

func (w *watched) wantTold(t *testing.T, want ...disk.Level) {
	t.Helper()
	var got []disk.Level
	for _, s := range w.told() {
		got = append(got, s.Level)
	}
	if !slices.Equal(got, want) {
		t.Errorf("was told %v, want %v", got, want)
	}
}

// until waits for a condition.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("not %s after 20 s", what)
		}
		<-time.After(time.Millisecond)
	}
}

func removeAll(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	ok(t, err)
	for _, e := range entries {
		ok(t, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
}
