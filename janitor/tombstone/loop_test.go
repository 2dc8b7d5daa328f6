package tombstone_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/journal"
)

// loop makes an ext4 file system in a file and mounts it for the length of the
// test.
func loop(t *testing.T, image, target string) {
	t.Helper()
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096", image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v: %s", err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop", image, target).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH) })
}

// fill takes every last block, those too that are free only once the file
// system's journal has taken in what was deleted before.
func fill(t *testing.T, dir string) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "filler"))
	ok(t, err)
	defer file.Close()
	for wrote := true; wrote; ok(t, file.Sync()) {
		wrote = false
		for size := 1 << 20; size >= 512; {
			n, err := file.Write(make([]byte, size))
			if wrote = wrote || n > 0; errors.Is(err, unix.ENOSPC) {
				size /= 2
				continue
			}
			ok(t, err)
		}
	}
	for n := range 100 { // what the file system had set aside for writes that came late is free by now
		if err = os.Mkdir(filepath.Join(dir, fmt.Sprint("more", n)), 0o755); errors.Is(err, unix.ENOSPC) {
			return
		}
	}
	t.Fatalf("the disk is not full: %v", err)
}

// rewrite replaces a journal by lines with the same values and right checksums.
func rewrite(t *testing.T, path string, lines []byte) {
	t.Helper()
	ok(t, os.Remove(path))
	j, err := journal.Open(path)
	ok(t, err)
	defer j.Close()
	for line := range bytes.Lines(lines) {
		_, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte{' '})
		ok(t, j.Write(json.RawMessage(value)))
	}
}
