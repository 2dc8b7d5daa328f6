package dogstatsd

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	socketsPerAddress = 8       // queues that source addresses are spread over
	wantedBuffer      = 4 << 20 // bytes asked for, for each; 10,000 small datagrams
)

// A socket is one of those that listen on one address.
type socket struct {
	fd      int
	name    string // under which it outlives the process
	address netip.AddrPort
	buffer  int    // bytes, granted
	dropped uint64 // datagrams, by the kernel, since this process has it
	told    uint64 // of them, those that are known to be one sender's
	last    uint32 // the kernel's own count, which wraps around

	counted time.Time // when that was last looked at
	only    *sender   // who alone has been read since; nil: nobody
	mixed   bool      // there was another
}

// listen opens the sockets of one address. It need not be there yet: they begin
// to receive when it is.
func listen(address netip.AddrPort) (all []*socket, err error) {
	defer func() {
		if err != nil {
			for _, s := range all {
				_ = unix.Close(s.fd)
			}
			all, err = nil, fmt.Errorf("listen on %s: %w", address, err)
		}
	}()
	for range socketsPerAddress {
		fd, err := unix.Socket(family(address), unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return all, err
		}
		s := &socket{fd: fd, address: address}
		all = append(all, s)
		if err := s.bind(); err != nil {
			return all, err
		}
	}
	return all, attach(all[0].fd, unix.SO_ATTACH_REUSEPORT_CBPF, bySource(address.Addr().Is6(), len(all)))
}

func family(address netip.AddrPort) int {
	if address.Addr().Is6() {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func (s *socket) bind() error {
	level, option := unix.IPPROTO_IP, unix.IP_FREEBIND
	if s.address.Addr().Is6() {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_FREEBIND
	}
	s.grow()
	return errors.Join(
		s.stamp(),
		unix.SetsockoptInt(s.fd, level, option, 1),
		unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1),
		unix.Bind(s.fd, sockaddr(s.address)),
	)
}

// stamp has the kernel tell when each datagram arrived.
func (s *socket) stamp() error {
	return unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// grow asks for the buffer we want, beyond the system's limit if we may. One
// that is large enough already stays: systemd, which made it, may more.
func (s *socket) grow() {
	s.buffer, _ = unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if s.buffer >= 2*wantedBuffer { // the kernel counts twice what was asked for
		return
	}
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, wantedBuffer) != nil {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, wantedBuffer)
	}
	s.buffer, _ = unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
}

// adopt takes over a socket that an earlier process has kept.
func adopt(fd int, name string) (*socket, error) {
	at, err := unix.Getsockname(fd)
	if err != nil {
		return nil, fmt.Errorf("adopt socket %s: %w", name, err)
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_DGRAM {
		return nil, fmt.Errorf("adopt socket %s: it is no UDP socket", name)
	}
	address := addrPort(at)
	if !address.IsValid() {
		return nil, fmt.Errorf("adopt socket %s: it has no IP address", name)
	}
	s := &socket{fd: fd, name: name, address: address}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("adopt socket %s: %w", name, err)
	}
	if err := s.stamp(); err != nil {
		return nil, fmt.Errorf("adopt socket %s: %w", name, err)
	}
	s.grow()
	s.last, _ = s.drops() // those of the earlier process are its own
	return s, nil
}

// countEvery is how often the kernel is asked what it has dropped.
const countEvery = 100 * time.Millisecond

// count takes note of what the kernel has dropped since the last time. Where one
// sender alone was read meanwhile, it was that one's.
func (s *socket) count(now time.Time) {
	if drops, ok := s.drops(); ok && drops != s.last {
		news := uint64(drops - s.last)
		s.last = drops
		s.dropped += news
		if s.only != nil && !s.mixed {
			s.only.dropped[dropKernel] += news
			s.told += news
		}
	}
	s.counted, s.only, s.mixed = now, nil, false
}

// drops is how many datagrams the kernel has dropped: their queue was full, or
// they came by an interface that is none of ours. SO_MEMINFO tells it at any
// time, SO_RXQ_OVFL only with the next datagram that does arrive.
func (s *socket) drops() (uint32, bool) {
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	return info[unix.SK_MEMINFO_DROPS], errno == 0
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

func addrPort(a unix.Sockaddr) netip.AddrPort {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}
