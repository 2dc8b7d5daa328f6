package beneath

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// A Dir is an open folder beneath a root. It is not safe for use by several
// goroutines at once.
type Dir struct {
	fd   int // -1 once closed
	tree *tree
}

// IsName reports whether s can name one entry of a folder.
func IsName(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "/\x00")
}

// OpenDir opens the folder with this name directly below. What is refused can
// be told by [ErrName], [ErrMount], [ErrSymlink] and [ErrNotFolder].
func (d *Dir) OpenDir(name string) (*Dir, error) {
	if !IsName(name) {
		return nil, fmt.Errorf("open %q: %w", name, ErrName)
	}
	fd, err := d.tree.step(d.fd, name)
	if err != nil {
		if errors.Is(err, unix.ENOTDIR) && isSymlink(d.fd, name) {
			err = unix.ELOOP
		}
		return nil, refusal(name, err)
	}
	return &Dir{fd: fd, tree: d.tree}, nil
}

// isSymlink tells a symbolic link from a file, which the kernel does not when
// O_DIRECTORY is asked for.
func isSymlink(fd int, name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
}

// again opens the same folder once more, with a read position of its own.
func (d *Dir) again() (*Dir, error) {
	fd, err := retry(func() (int, error) { return unix.Openat(d.fd, ".", dirFlags, 0) })
	if err != nil {
		return nil, err
	}
	return &Dir{fd: fd, tree: d.tree}, nil
}

// Fd is the descriptor, for calls that act on a name in the folder. It is
// valid until Close.
func (d *Dir) Fd() int { return d.fd }

// Close gives the descriptor back. Closing again does nothing.
func (d *Dir) Close() error {
	fd := d.fd
	if d.fd = -1; fd < 0 {
		return nil
	}
	return unix.Close(fd)
}
