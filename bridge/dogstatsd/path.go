package dogstatsd

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// same reports whether the path still leads to the socket that we are connected
// to: after a restart of the server the old one may go on to swallow what it is
// sent.
func (o *outlet) same() bool {
	if o.path == "" {
		return true
	}
	// unix.Stat would copy the path at each batch. It is absolute: the folder
	// that it would be relative to does not matter.
	_, _, errno := unix.Syscall6(unix.SYS_NEWFSTATAT, 0, uintptr(unsafe.Pointer(o.cpath)), uintptr(unsafe.Pointer(&o.stat)), 0, 0, 0)
	return errno == 0 && o.stat.Ino == o.inode
}
