package beneath

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// A Dir is an open folder beneath a root. It is not safe for use by several
// goroutines at once.
type Dir struct {
	fd    int
	mount uint64 // ID of the root's mount
	step  stepper
}

// An Identity tells one folder from another that took its name: after a
// removal the inode number may come again, the time of birth does not.
type Identity struct {
	Dev   uint64    `json:"dev"`
	Ino   uint64    `json:"ino"`
	Mount uint64    `json:"mount"` // mount ID; another after each mount and boot
	Born  time.Time `json:"born"`  // zero where the file system does not keep it
}

// Same reports whether two identities are one folder, looked at over a remount
// or a reboot: the mount ID is left out.
func (i Identity) Same(other Identity) bool {
	return i.Dev == other.Dev && i.Ino == other.Ino && i.Born.Equal(other.Born)
}

// A stepper opens one component below a folder, never following it and never
// leaving the mount.
type stepper func(d *Dir, name string) (int, error)

// openat2 is the step of kernels since 5.6. Where it is missing or filtered,
// openatCompare takes its place.
func openat2(d *Dir, name string) (int, error) {
	how := unix.OpenHow{
		Flags:   dirFlags,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV,
	}
	fd, err := retry(func() (int, error) { return unix.Openat2(d.fd, name, &how) })
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return openatCompare(d, name)
	}
	return fd, err
}

// openatCompare opens one component and then asks whether it is still on the
// root's mount.
func openatCompare(d *Dir, name string) (int, error) {
	fd, err := retry(func() (int, error) { return unix.Openat(d.fd, name, dirFlags, 0) })
	if err != nil {
		return -1, err
	}
	st, err := statx(fd, "", unix.STATX_MNT_ID)
	switch {
	case err != nil:
	case st.Mask&unix.STATX_MNT_ID == 0:
		err = ErrUnsupported
	case st.Mnt_id != d.mount:
		err = unix.EXDEV
	default:
		return fd, nil
	}
	unix.Close(fd)
	return -1, err
}

// retry calls f until no signal and no concurrent rename disturbs it. The
// kernel answers EAGAIN when it cannot be sure that a path stays beneath.
func retry(f func() (int, error)) (int, error) {
	for tries := 0; ; tries++ {
		n, err := f()
		if errors.Is(err, unix.EINTR) || (errors.Is(err, unix.EAGAIN) && tries < 100) {
			continue
		}
		return n, err
	}
}

// IsName reports whether s can name one entry of a folder.
func IsName(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= 255 && !strings.ContainsAny(s, "/\x00")
}

// OpenDir opens the folder with this name directly below.
func (d *Dir) OpenDir(name string) (*Dir, error) {
	if !IsName(name) {
		return nil, fmt.Errorf("open %q: %w", name, ErrName)
	}
	fd, err := d.step(d, name)
	if err != nil {
		if errors.Is(err, unix.ENOTDIR) && d.isSymlink(name) {
			err = unix.ELOOP
		}
		return nil, refusal(name, err)
	}
	return &Dir{fd: fd, mount: d.mount, step: d.step}, nil
}

func (d *Dir) isSymlink(name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
}

// again opens the same folder once more, with a read position of its own.
func (d *Dir) again() (*Dir, error) {
	fd, err := retry(func() (int, error) { return unix.Openat(d.fd, ".", dirFlags, 0) })
	if err != nil {
		return nil, err
	}
	return &Dir{fd: fd, mount: d.mount, step: d.step}, nil
}

// Fd is the descriptor, for calls that act on a name in the folder. It is
// valid until Close.
func (d *Dir) Fd() int { return d.fd }

// Close gives the descriptor back.
func (d *Dir) Close() error { return unix.Close(d.fd) }

// Identity returns what the folder is.
func (d *Dir) Identity() (Identity, error) {
	st, err := statx(d.fd, "", unix.STATX_INO|unix.STATX_BTIME|unix.STATX_MNT_ID)
	if err != nil {
		return Identity{}, fmt.Errorf("identify folder: %w", err)
	}
	return identity(st), nil
}

// Changed returns when the folder itself was last changed: the newer of its
// times of content and of status.
func (d *Dir) Changed() (time.Time, error) {
	st, err := statx(d.fd, "", unix.STATX_CTIME|unix.STATX_MTIME)
	if err != nil {
		return time.Time{}, fmt.Errorf("look at folder: %w", err)
	}
	return newer(stamp(st.Ctime), stamp(st.Mtime)), nil
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

func identity(st unix.Statx_t) Identity {
	id := Identity{Dev: unix.Mkdev(st.Dev_major, st.Dev_minor), Ino: st.Ino, Mount: st.Mnt_id}
	if st.Mask&unix.STATX_BTIME != 0 {
		id.Born = stamp(st.Btime)
	}
	return id
}

func stamp(t unix.StatxTimestamp) time.Time { return time.Unix(t.Sec, int64(t.Nsec)).UTC() }

func newer(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
