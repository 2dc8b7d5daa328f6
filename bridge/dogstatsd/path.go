package dogstatsd

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// resolveCached has openat2 fail where it would have to wait for a disk or
// another host.
const resolveCached = 0x20

// same reports whether the path still leads to the socket that we are connected
// to: after a restart of the server the old one may go on to swallow what it is
// sent.
func (o *outlet) same() bool {
	if o.path == "" {
		return true
	}
	return (o.glance() || o.look()) && o.stat.Ino == o.inode
}

// glance looks where the path leads, if the kernel knows that by heart: then
// nothing waits, and the scheduler need not be told at each batch. Kernels
// before 5.12 never know.
func (o *outlet) glance() bool {
	how := &o.how
	how.Flags, how.Resolve = unix.O_PATH|unix.O_CLOEXEC, resolveCached
	fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT2, 0, uintptr(unsafe.Pointer(o.cpath)), uintptr(unsafe.Pointer(how)), unix.SizeofOpenHow, 0, 0)
	if errno != 0 {
		return false
	}
	_, _, errno = unix.RawSyscall(unix.SYS_FSTAT, fd, uintptr(unsafe.Pointer(&o.stat)), 0)
	_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	return errno == 0
}

// look is the same for when it may wait. unix.Stat would copy the path each
// time. It is absolute: the folder that it would be relative to does not matter.
func (o *outlet) look() bool {
	_, _, errno := unix.Syscall6(unix.SYS_NEWFSTATAT, 0, uintptr(unsafe.Pointer(o.cpath)), uintptr(unsafe.Pointer(&o.stat)), 0, 0, 0)
	return errno == 0
}
