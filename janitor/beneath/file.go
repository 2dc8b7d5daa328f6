package beneath

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ErrNotFile is an entry that is not a regular file.
var ErrNotFile = errors.New("not a regular file")

// OpenFile opens the regular file with this name directly below, for reading.
// Nothing else is opened even for a moment, whatever takes the name's place
// meanwhile: opening a pipe can block, and opening a device can do anything.
func (d *Dir) OpenFile(name string) (*os.File, error) {
	if !IsName(name) {
		return nil, fmt.Errorf("open %q: %w", name, ErrName)
	}
	fd, err := d.tree.name(d.fd, name)
	if err != nil {
		return nil, refusal(name, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("open %q: %w", name, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("open %q: %w", name, ErrNotFile)
	}
	flags := unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	file, err := retry(func() (int, error) { return unix.Open("/proc/self/fd/"+strconv.Itoa(fd), flags, 0) })
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", name, err)
	}
	return os.NewFile(uintptr(file), name), nil
}

// name takes hold of one entry without opening it, never following it and never
// leaving the mount.
func (t *tree) name(fd int, name string) (int, error) {
	const flags = unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
	if t.way == byOpenat2 {
		how := unix.OpenHow{
			Flags:   flags,
			Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV,
		}
		return retry(func() (int, error) { return unix.Openat2(fd, name, &how) })
	}
	next, err := retry(func() (int, error) { return unix.Openat(fd, name, flags, 0) })
	if err != nil {
		return -1, err
	}
	mount, err := t.mountOf(next)
	if err == nil && mount != t.mount {
		err = unix.EXDEV
	}
	if err != nil {
		unix.Close(next)
		return -1, err
	}
	return next, nil
}
