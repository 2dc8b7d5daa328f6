package dogstatsd

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchSize  = 64                // datagrams for one system call
	slotSize   = 16 << 10          // bytes of one that is read in place
	restSize   = 64<<10 - slotSize // of its rest, which is rarely there
	nameLength = unix.SizeofSockaddrInet6
	// A timestamp behind its header: struct cmsghdr, struct timespec.
	controlLength = unix.SizeofCmsghdr + 16
)

// message is the kernel's struct mmsghdr.
type message struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

// A receiver reads datagrams in batches. Slots of 64 KiB would cost what the
// processor's caches do not hold: the rest of a long one has a place of its own.
type receiver struct {
	messages [batchSize]message
	vectors  [batchSize][2]unix.Iovec
	names    [batchSize][nameLength]byte
	controls [batchSize][controlLength]byte
	slots    []byte
	rests    []byte // not touched, and so no memory, while datagrams are short
	whole    []byte // where a long one is put together
}

func newReceiver() *receiver {
	r := &receiver{slots: make([]byte, batchSize*slotSize), rests: make([]byte, batchSize*restSize)}
	for i := range r.messages {
		r.vectors[i][0] = unix.Iovec{Base: &r.slots[i*slotSize], Len: slotSize}
		r.vectors[i][1] = unix.Iovec{Base: &r.rests[i*restSize], Len: restSize}
		h := &r.messages[i].header
		h.Name, h.Iov, h.Iovlen, h.Control = &r.names[i][0], &r.vectors[i][0], 2, &r.controls[i][0]
	}
	return r
}

// read takes up to batchSize datagrams from a socket and returns how many there
// were: fewer, and its queue is empty. It does not wait, and so the scheduler
// need not be told.
func (r *receiver) read(fd int) int {
	for i := range r.messages {
		h := &r.messages[i].header
		h.Namelen, h.Controllen = nameLength, controlLength
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.messages[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// datagram is the i-th of those that were read, valid until the next is asked
// for.
func (r *receiver) datagram(i int) []byte {
	n := int(r.messages[i].length)
	if n <= slotSize {
		return r.slots[i*slotSize:][:n]
	}
	r.whole = append(r.whole[:0], r.slots[i*slotSize:][:slotSize]...)
	return append(r.whole, r.rests[i*restSize:][:n-slotSize]...)
}

// arrival is when the kernel got the i-th, in nanoseconds of Unix time; 0 if it
// does not say.
func (r *receiver) arrival(i int) int64 {
	if r.messages[i].header.Controllen < controlLength {
		return 0
	}
	at := (*[2]int64)(unsafe.Pointer(&r.controls[i][unix.SizeofCmsghdr]))
	return at[0]*1e9 + at[1]
}

// source is where the i-th came from. A mapped IPv4 address is IPv4.
func (r *receiver) source(i int) source {
	name := &r.names[i]
	if binary.NativeEndian.Uint16(name[:]) == unix.AF_INET {
		return source{v4: binary.BigEndian.Uint32(name[4:]), is4: true}
	}
	return source{v6: [16]byte(name[8:24])}
}

// A source is an address as the kernel tells it.
type source struct {
	v4  uint32
	is4 bool
	v6  [16]byte
}

func (s source) addr() netip.Addr {
	if s.is4 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], s.v4)
		return netip.AddrFrom4(b)
	}
	return netip.AddrFrom16(s.v6).Unmap()
}
