package beneath

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

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

const identityMask = unix.STATX_TYPE | unix.STATX_INO | unix.STATX_BTIME | unix.STATX_MNT_ID

// Identity returns what the folder is.
func (d *Dir) Identity() (Identity, error) {
	st, err := statx(d.fd, "", identityMask)
	if err != nil {
		return Identity{}, fmt.Errorf("identify folder: %w", err)
	}
	id := identity(st)
	if id.Mount, err = d.tree.mountOf(d.fd); err != nil {
		return Identity{}, fmt.Errorf("identify folder: %w", err)
	}
	return id, nil
}

// Look returns what an entry is without opening it, which needs no right to
// it. Links are not followed. If something is mounted on it, the error is
// [ErrMount].
func (d *Dir) Look(name string) (Identity, Kind, error) {
	if !IsName(name) {
		return Identity{}, Unknown, fmt.Errorf("look at %q: %w", name, ErrName)
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return Identity{}, Unknown, fmt.Errorf("look at %q: %w", name, err)
	}
	defer unix.Close(fd)
	id, err := (&Dir{fd: fd, tree: d.tree}).Identity()
	if err != nil {
		return Identity{}, Unknown, fmt.Errorf("look at %q: %w", name, err)
	}
	if id.Mount != d.tree.mount {
		return id, Unknown, fmt.Errorf("look at %q: %w", name, ErrMount)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Identity{}, Unknown, fmt.Errorf("look at %q: %w", name, err)
	}
	return id, kindOf(st.Mode), nil
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

func identity(st unix.Statx_t) Identity {
	id := Identity{Dev: unix.Mkdev(st.Dev_major, st.Dev_minor), Ino: st.Ino}
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
