package dogstatsd

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendBatch is the memory of sendmmsg.
type sendBatch struct {
	messages [outBatch]message
	vectors  [outBatch]unix.Iovec
	controls [outBatch][32]byte
	fault    int32
	size     uint32
}

// write sends datagrams and returns how many were taken and what was wrong with
// the next. Nothing in it waits: the scheduler need not be told.
func (o *outlet) write(packets []*packet) (taken int, errno unix.Errno) {
	for i, p := range packets {
		o.send.set(i, p)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(o.fd), uintptr(unsafe.Pointer(&o.send.messages[0])), uintptr(len(packets)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		n = 0
	}
	taken = int(n)
	if o.network != "udp" {
		if errno == 0 && taken < len(packets) {
			errno = o.why(packets[taken])
			if errno == 0 {
				taken++
			}
		}
		return taken, errno
	}
	// What is refused is known at the next send, or by asking: it was the one
	// before that got nowhere.
	if errno == unix.ECONNREFUSED || taken < len(packets) && errno == 0 || o.refused() {
		return max(taken-1, 0), unix.ECONNREFUSED
	}
	return taken, errno
}

// why sends one datagram by itself, for its error: when others have gone before
// it, sendmmsg does not tell.
func (o *outlet) why(p *packet) unix.Errno {
	o.send.set(0, p)
	_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(o.fd), uintptr(unsafe.Pointer(&o.send.messages[0].header)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	return errno
}

func (b *sendBatch) set(i int, p *packet) {
	b.vectors[i] = unix.Iovec{Base: &p.body[0], Len: uint64(len(p.body))}
	h := &b.messages[i].header
	*h = unix.Msghdr{Iov: &b.vectors[i], Iovlen: 1}
	if p.bare == nil {
		return
	}
	h.Control, h.Controllen = &b.controls[i][0], uint64(unix.CmsgSpace(unix.SizeofUcred))
	c := (*unix.Cmsghdr)(unsafe.Pointer(&b.controls[i][0]))
	c.Level, c.Type, c.Len = unix.SOL_SOCKET, unix.SCM_CREDENTIALS, uint64(unix.CmsgLen(unix.SizeofUcred))
	*(*unix.Ucred)(unsafe.Pointer(&b.controls[i][unix.CmsgLen(0)])) = unix.Ucred{Pid: int32(p.bare.origin.PID), Uid: ownUID(), Gid: ownGID()}
}

func ownUID() uint32 { return uint32(unix.Geteuid()) }
func ownGID() uint32 { return uint32(unix.Getegid()) }

// refused reports whether what was just sent has met nobody. On this host the
// answer comes before the call that sends has returned.
func (o *outlet) refused() bool {
	o.send.size = uint32(unsafe.Sizeof(o.send.fault))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(o.fd), unix.SOL_SOCKET, unix.SO_ERROR,
		uintptr(unsafe.Pointer(&o.send.fault)), uintptr(unsafe.Pointer(&o.send.size)), 0)
	return errno == 0 && o.send.fault != 0
}
