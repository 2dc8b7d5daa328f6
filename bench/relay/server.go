package relay

import (
	"net"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The Datadog agent's sizes and times, by default.
const (
	packetSize = 8192
	packets    = 32 // that go to the workers at once
	flush      = 100 * time.Millisecond
)

// A packet is a datagram, or some that came by UDP, joined by line feeds.
type packet struct {
	buf [packetSize]byte
	n   int
}

// A server receives as the Datadog agent does: each datagram by a read of its
// own, into packets of a pool, which go to a worker in groups. The worker
// drops them: parsing is the same for all, and would hide what differs.
type server struct {
	tally *tally
	pool  sync.Pool
	work  chan []*packet

	mu      sync.Mutex // guards the fields below
	open    *packet
	waiting []*packet
}

func newServer(t *tally) *server {
	s := &server{tally: t, work: make(chan []*packet, 1024)}
	s.pool.New = func() any { return new(packet) }
	s.open = s.packet()
	return s
}

// packet takes an empty one from the pool.
func (s *server) packet() *packet {
	p, _ := s.pool.Get().(*packet)
	p.n = 0
	return p
}

// receive reads until the socket fails.
func (s *server) receive(conn packetConn) error {
	go s.flush()
	go func() {
		for group := range s.work {
			for _, p := range group {
				s.pool.Put(p)
			}
		}
	}()
	if unixConn, ok := conn.(*net.UnixConn); ok {
		return s.receiveUnix(unixConn)
	}
	buf := make([]byte, packetSize)
	for {
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			return err
		}
		s.tally.add(buf[:n])
		s.assemble(buf[:n])
	}
}

// receiveUnix reads into packets: one each.
func (s *server) receiveUnix(conn *net.UnixConn) error {
	control := make([]byte, unix.CmsgSpace(unix.SizeofUcred))
	for {
		p := s.packet()
		n, _, _, _, err := conn.ReadMsgUnix(p.buf[:], control) //nolint:dogsled // it has five
		if err != nil {
			return err
		}
		p.n = n
		s.tally.add(p.buf[:n])
		s.mu.Lock()
		s.hand(p)
		s.mu.Unlock()
	}
}

// assemble joins datagrams into packets.
func (s *server) assemble(datagram []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open.n > 0 && s.open.n+1+len(datagram) > packetSize {
		s.hand(s.open)
		s.open = s.packet()
	}
	if s.open.n > 0 {
		s.open.buf[s.open.n] = '\n'
		s.open.n++
	}
	s.open.n += copy(s.open.buf[s.open.n:], datagram)
}

// hand puts a packet with those that go to the worker. Called with mu held.
func (s *server) hand(p *packet) {
	s.waiting = append(s.waiting, p)
	if len(s.waiting) >= packets {
		s.work <- s.waiting
		s.waiting = make([]*packet, 0, packets)
	}
}

// flush hands on what has waited long enough.
func (s *server) flush() {
	for range time.Tick(flush) {
		s.mu.Lock()
		if s.open.n > 0 {
			s.hand(s.open)
			s.open = s.packet()
		}
		if len(s.waiting) > 0 {
			s.work <- s.waiting
			s.waiting = make([]*packet, 0, packets)
		}
		s.mu.Unlock()
	}
}

// receiveMany fills some of msgs, and waits for the first.
func receiveMany(raw syscall.RawConn, msgs []unix.Mmsghdr) (got int, err error) {
	var errno syscall.Errno
	err = raw.Read(func(fd uintptr) bool {
		var n uintptr
		n, _, errno = unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&msgs[0])), uintptr(len(msgs)), unix.MSG_DONTWAIT, 0, 0)
		got = int(n)
		return errno != unix.EAGAIN
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return got, err
}
