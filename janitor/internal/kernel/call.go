package kernel

import (
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Each of these is the system call of its name. The closures are made for a
// hook alone.

// Openat2 opens name below fd as how says.
func Openat2(fd int, name string, how *unix.OpenHow) (int, error) {
	if h := hook.Load(); h != nil {
		c := Call{Name: "openat2", Fd: fd, Path: name}
		return opened(*h, c, func() (int, error) { return unix.Openat2(fd, name, how) }, unix.Close)
	}
	return unix.Openat2(fd, name, how)
}

// Openat opens, and with O_CREAT makes, name below fd.
func Openat(fd int, name string, flags int, mode uint32) (int, error) {
	if h := hook.Load(); h != nil {
		c := Call{Name: "openat", Fd: fd, Path: name}
		return opened(*h, c, func() (int, error) { return unix.Openat(fd, name, flags, mode) }, unix.Close)
	}
	return unix.Openat(fd, name, flags, mode)
}

// OpenFile is [os.OpenFile].
func OpenFile(path string, flags int, mode os.FileMode) (*os.File, error) {
	if h := hook.Load(); h != nil {
		c := Call{Name: "openat", Fd: unix.AT_FDCWD, Path: path}
		return opened(*h, c, func() (*os.File, error) { return os.OpenFile(path, flags, mode) }, (*os.File).Close)
	}
	return os.OpenFile(path, flags, mode)
}

// Renameat2 moves an entry.
func Renameat2(from int, name string, to int, as string, flags uint) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "renameat2", Fd: from, Path: name}, func() error { return unix.Renameat2(from, name, to, as, flags) })
	}
	return unix.Renameat2(from, name, to, as, flags)
}

// Unlinkat removes an entry; a folder with AT_REMOVEDIR.
func Unlinkat(fd int, name string, flags int) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "unlinkat", Fd: fd, Path: name}, func() error { return unix.Unlinkat(fd, name, flags) })
	}
	return unlinkat(fd, name, flags)
}

// unlinkat is [unix.Unlinkat] without what that leaves to be collected for each
// of a million names: a copy of it.
func unlinkat(fd int, name string, flags int) error {
	var path [256]byte // no entry has a longer name
	if len(name) >= len(path) || strings.IndexByte(name, 0) >= 0 {
		return unix.Unlinkat(fd, name, flags)
	}
	copy(path[:], name)
	_, _, errno := unix.Syscall(unix.SYS_UNLINKAT, uintptr(fd), uintptr(unsafe.Pointer(&path[0])), uintptr(flags))
	if errno != 0 {
		return errno
	}
	return nil
}

// Mkdirat makes a folder.
func Mkdirat(fd int, name string, mode uint32) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "mkdirat", Fd: fd, Path: name}, func() error { return unix.Mkdirat(fd, name, mode) })
	}
	return unix.Mkdirat(fd, name, mode)
}

// MkdirAll is [os.MkdirAll].
func MkdirAll(path string, mode os.FileMode) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "mkdirat", Fd: unix.AT_FDCWD, Path: path}, func() error { return os.MkdirAll(path, mode) })
	}
	return os.MkdirAll(path, mode)
}

// Linkat gives a file another name in the same folder.
func Linkat(fd int, name, as string) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "linkat", Fd: fd, Path: name}, func() error { return unix.Linkat(fd, name, fd, as, 0) })
	}
	return unix.Linkat(fd, name, fd, as, 0)
}

// Write writes all of b, or returns an error.
func Write(file *os.File, b []byte) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "write", Fd: int(file.Fd()), Data: b}, func() error { _, err := file.Write(b); return err })
	}
	_, err := file.Write(b)
	return err
}

// Ftruncate cuts a file off.
func Ftruncate(fd int, size int64) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "ftruncate", Fd: fd}, func() error { return unix.Ftruncate(fd, size) })
	}
	return unix.Ftruncate(fd, size)
}

// Fallocate sets room aside for a file.
func Fallocate(fd int, mode uint32, off, size int64) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "fallocate", Fd: fd}, func() error { return unix.Fallocate(fd, mode, off, size) })
	}
	return unix.Fallocate(fd, mode, off, size)
}

// Fsync returns once a file, or the names in a folder, are on disk.
func Fsync(fd int) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "fsync", Fd: fd}, func() error { return unix.Fsync(fd) })
	}
	return unix.Fsync(fd)
}

// Fdatasync returns once the content of a file is on disk.
func Fdatasync(fd int) error {
	if h := hook.Load(); h != nil {
		return (*h)(Call{Name: "fdatasync", Fd: fd}, func() error { return unix.Fdatasync(fd) })
	}
	return unix.Fdatasync(fd)
}

// opened makes a call that opens something, and closes it again if the hook
// makes an error of that.
func opened[T any](h Hook, c Call, open func() (T, error), shut func(T) error) (T, error) {
	var got T
	isOpen := false
	err := h(c, func() (err error) {
		got, err = open()
		isOpen = err == nil
		return err
	})
	if err != nil && isOpen {
		_ = shut(got)
	}
	return got, err
}
