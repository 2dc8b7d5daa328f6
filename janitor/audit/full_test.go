package audit_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A full disk is when there is most to delete.
func TestADiskThatIsFullCanBeAccountedFor(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	l := open(t, filepath.Join(dir, "audit"))
	if err := l.Append(record(0, "it is gone")); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(dir, "big.log"))
	for n := range 500 {
		if err := l.Append(record(n, "it is gone")); err != nil {
			t.Fatalf("record %d: %v", n, err)
		}
	}
	if err := l.Verify(); err != nil {
		t.Error(err)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = file.Write(block)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}
