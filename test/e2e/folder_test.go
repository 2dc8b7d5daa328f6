package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// A folder is a log folder as it was when the test first saw it.
type folder struct {
	path  string
	inode uint64
	files int // canaries in it
}

// mark makes a folder if it is not there, puts canaries into it and remembers
// which inode it is.
func mark(path string, files int) (folder, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return folder{}, err
	}
	f := folder{path: path, files: files}
	for n := range files {
		if err := os.WriteFile(f.canary(n), []byte(path), 0o644); err != nil {
			return folder{}, err
		}
	}
	inode, err := inodeOf(path)
	f.inode = inode
	return f, err
}

// marked is mark for the test's own goroutine.
func marked(t testing.TB, path string) folder {
	t.Helper()
	f, err := mark(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f folder) canary(n int) string { return filepath.Join(f.path, "canary."+strconv.Itoa(n)+".log") }

// intact returns nil if the folder is in its place, is the same one and has
// everything that was in it.
func (f folder) intact() error {
	inode, err := inodeOf(f.path)
	if err != nil {
		return err
	}
	if inode != f.inode {
		return fmt.Errorf("%s is another folder: inode %d, want %d", f.path, inode, f.inode)
	}
	var errs []error
	for n := range f.files {
		_, err := os.Lstat(f.canary(n))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// gone reports whether nothing bears the folder's name.
func (f folder) gone() bool {
	_, err := os.Lstat(f.path)
	return errors.Is(err, os.ErrNotExist)
}

func inodeOf(path string) (uint64, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	stat, isStat := info.Sys().(*syscall.Stat_t)
	if !isStat || !info.IsDir() {
		return 0, fmt.Errorf("%s is no folder", path)
	}
	return stat.Ino, nil
}

// untouched fails the test for each folder that is not intact.
func untouched(t *testing.T, folders ...folder) {
	t.Helper()
	for _, f := range folders {
		if err := f.intact(); err != nil {
			t.Errorf("a folder that had to stay: %v", err)
		}
	}
}
