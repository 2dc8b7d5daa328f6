package beneath

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
)

const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// A way is how one component is opened without leaving the mount. The first
// that the kernel can is taken, once, when the root is opened.
type way int

const (
	byOpenat2 way = iota // the kernel refuses what we would not follow; since 5.6
	byStatx              // openat, then the mount ID that statx gives; since 5.8
	byFdinfo             // openat, then the mount ID in /proc/self/fdinfo; since 3.15
	noWay
)

// A tree is what all folders opened from one root have in common.
type tree struct {
	way     way
	mount   uint64    // ID of the root's mount
	batches sync.Pool // of *batch, for reading folders
}

// newTree finds the first way, from the given one on, that works for an open
// folder.
func newTree(fd int, from way) (*tree, error) {
	for w := from; w < noWay; w++ {
		t := &tree{way: w}
		t.batches.New = func() any { return &batch{buf: make([]byte, batchSize)} }
		var err error
		if t.mount, err = t.mountOf(fd); err != nil {
			continue
		}
		probe, err := t.step(fd, ".")
		if unsupported(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return t, unix.Close(probe)
	}
	return nil, ErrUnsupported
}

// unsupported reports whether a call is missing, or filtered by seccomp.
func unsupported(err error) bool {
	return errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM)
}

// step opens one folder below another, never following it and never leaving the
// mount: EXDEV if that is where it leads.
func (t *tree) step(fd int, name string) (int, error) {
	return t.open(fd, name, dirFlags, unix.RESOLVE_NO_SYMLINKS)
}

// open opens one component below a folder without leaving the mount.
func (t *tree) open(fd int, name string, flags int, resolve uint64) (int, error) {
	if t.way == byOpenat2 {
		how := unix.OpenHow{
			Flags: uint64(flags), Resolve: resolve | unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV,
		}
		return retry(func() (int, error) { return kernel.Openat2(fd, name, &how) })
	}
	next, err := retry(func() (int, error) { return kernel.Openat(fd, name, flags, 0) })
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

// mountOf returns the ID of the mount that an open file is on.
func (t *tree) mountOf(fd int) (uint64, error) {
	if t.way != byFdinfo {
		st, err := statx(fd, "", unix.STATX_MNT_ID)
		if err == nil && st.Mask&unix.STATX_MNT_ID != 0 {
			return st.Mnt_id, nil
		}
		if t.way == byStatx {
			return 0, errors.Join(ErrUnsupported, err)
		}
	}
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	for line := range bytes.Lines(text) {
		if id, ok := bytes.CutPrefix(line, []byte("mnt_id:")); ok {
			return strconv.ParseUint(string(bytes.TrimSpace(id)), 10, 64)
		}
	}
	return 0, ErrUnsupported
}

// retry calls f until no signal disturbs it. The kernel may also answer EAGAIN
// when a rename elsewhere keeps it from being sure that a path stays beneath.
func retry(f func() (int, error)) (int, error) {
	for tries := 0; ; tries++ {
		n, err := f()
		if errors.Is(err, unix.EINTR) || (errors.Is(err, unix.EAGAIN) && tries < 100) {
			continue
		}
		return n, err
	}
}

func statx(fd int, name string, mask int) (unix.Statx_t, error) {
	var st unix.Statx_t
	flags := unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT
	if name == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	_, err := retry(func() (int, error) { return 0, unix.Statx(fd, name, flags, mask, &st) })
	return st, err
}
