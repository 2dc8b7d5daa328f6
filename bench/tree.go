package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// A tree is the log folders of containers that are gone.
type tree struct {
	folders int
	files   int // in each
	size    int // bytes of each
}

func (t tree) all() int { return t.folders * t.files }

// perService is how many folders a service has.
const perService = 200

// grow makes the tree, as it is on disk.
func (j *job) grow(ctx context.Context, dir string, t tree) {
	content := make([]byte, t.size)
	var calls errgroup.Group
	calls.SetLimit(atOnce)
	for n := range t.folders {
		calls.Go(func() error {
			folder := filepath.Join(logsIn(dir), fmt.Sprintf("service%d/containers/%012x", n/perService, n))
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
			for f := range t.files {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := write(filepath.Join(folder, fmt.Sprintf("app.log.%d", f)), content); err != nil {
					return err
				}
			}
			return nil
		})
	}
	j.must(calls.Wait())
	j.must(settle(dir))
}

// write makes a file; an empty one with a single call.
func write(path string, content []byte) error {
	if len(content) == 0 {
		return unix.Mknod(path, unix.S_IFREG|0o644, 0)
	}
	return os.WriteFile(path, content, 0o644)
}

// settle writes a file system's changes to disk and forgets what was read.
func settle(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := unix.Syncfs(int(d.Fd())); err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
}

// memoryDir is where a file lies in memory, so that the disk does not hide what
// the software costs.
const memoryDir = "/dev/shm"

// mount makes an ext4 file system in a file in memory and returns where it is
// mounted.
func (j *job) mount(ctx context.Context, size int64, inodes int) string {
	image, err := os.CreateTemp(memoryDir, "berth-bench-")
	j.must(err)
	j.Cleanup(func() { _ = os.Remove(image.Name()) })
	j.must(image.Truncate(size))
	j.must(image.Close())
	dir := j.TempDir()
	for _, args := range [][]string{
		{"mkfs.ext4", "-q", "-F", "-m", "0", "-N", fmt.Sprint(inodes), image.Name()},
		{"mount", "-o", "loop", image.Name(), dir},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			j.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	j.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			j.Error(err)
		}
	})
	return dir
}
