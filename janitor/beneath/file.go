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
	fd, err := d.tree.open(d.fd, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0) // takes hold of it, and opens nothing
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
