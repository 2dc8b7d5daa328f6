package disk

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// A Usage is how full the file system of one path is.
type Usage struct {
	Device        uint64  // identifies the file system while it is mounted; the same for all its bind mounts
	Bytes         uint64  // size
	Free          uint64  // bytes that nothing uses
	Avail         uint64  // bytes free to an unprivileged process: Free without what is kept for root
	Inodes        uint64  // 0: the file system does not count them
	InodesFree    uint64  // 0 as well where they are not counted
	BytesPercent  float64 // 0 to 100: used, of what an unprivileged process could ever use
	InodesPercent float64 // 0 to 100: used, of all
}

// Worst is the higher of the two percentages: a file system without inodes is
// as full as one without bytes.
func (u Usage) Worst() float64 { return max(u.BytesPercent, u.InodesPercent) }

// Stat asks the kernel about the file system that path is on. The error is a
// [fs.PathError].
func Stat(path string) (Usage, error) {
	var stat unix.Statfs_t
	if err := again(func() error { return unix.Statfs(path, &stat) }); err != nil {
		return Usage{}, &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	var file unix.Stat_t
	if err := again(func() error { return unix.Stat(path, &file) }); err != nil {
		return Usage{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	u := count(stat)
	u.Device = uint64(file.Dev) //nolint:unconvert // of another width on other architectures
	return u, nil
}

// count turns the kernel's blocks into bytes and shares. Fragments are the unit
// of its block counts; file systems that have none leave their size at zero.
func count(s unix.Statfs_t) Usage {
	unit := uint64(max(s.Frsize, 0))
	if unit == 0 {
		unit = uint64(max(s.Bsize, 0))
	}
	u := Usage{
		Bytes: s.Blocks * unit, Free: s.Bfree * unit, Avail: s.Bavail * unit,
		Inodes: s.Files, InodesFree: min(s.Ffree, s.Files),
	}
	used := u.Bytes - min(u.Free, u.Bytes)
	u.BytesPercent = percent(used, used+u.Avail)
	u.InodesPercent = percent(u.Inodes-u.InodesFree, u.Inodes)
	return u
}

func percent(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// again repeats a call that a signal has interrupted.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
