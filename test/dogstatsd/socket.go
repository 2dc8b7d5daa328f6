package dogstatsd

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A socket is one listening socket with what reads from it.
type socket struct {
	address string
	packets packetConn // of udp and unixgram
	streams *net.UnixListener

	options Options
	take    func(Datagram) time.Duration
	done    chan struct{}
	readers sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	awake  chan struct{}
	conns  []net.Conn
	closed bool
}

// A packetConn is what UDP and unixgram sockets share.
type packetConn interface {
	net.PacketConn
	syscall.Conn
	SetReadBuffer(int) error
}

// open binds the socket of a receiver.
func open(o Options) (*socket, error) {
	s := &socket{address: o.Address, options: o, done: make(chan struct{}), awake: make(chan struct{})}
	var err error
	switch o.Network {
	case "udp":
		var address *net.UDPAddr
		if address, err = net.ResolveUDPAddr("udp", o.Address); err != nil {
			return nil, err
		}
		s.packets, err = pick[*net.UDPConn](net.ListenUDP("udp", address))
	case "unixgram":
		s.packets, err = pick[*net.UnixConn](net.ListenUnixgram("unixgram", &net.UnixAddr{Name: o.Address, Net: "unixgram"}))
	case "unix":
		s.streams, err = net.ListenUnix("unix", &net.UnixAddr{Name: o.Address, Net: "unix"})
	default:
		err = fmt.Errorf("network %q", o.Network)
	}
	if err != nil {
		return nil, err
	}
	if s.streams != nil {
		s.streams.SetUnlinkOnClose(false)
		return s, nil
	}
	s.address = s.packets.LocalAddr().String()
	return s, s.set(s.packets)
}

// pick keeps a nil pointer from becoming an interface that is not nil.
func pick[C packetConn](conn C, err error) (packetConn, error) {
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// set gives a socket its buffer, and asks for credentials.
func (s *socket) set(conn packetConn) error {
	if s.options.Buffer > 0 {
		if err := conn.SetReadBuffer(s.options.Buffer); err != nil {
			return err
		}
	}
	if !s.options.Credentials {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	set := func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) }
	if failed := raw.Control(set); failed != nil {
		return failed
	}
	return err
}

// start reads until stop.
func (s *socket) start(take func(Datagram) time.Duration) {
	s.take = take
	if s.streams != nil {
		s.readers.Go(s.accept)
	} else {
		s.readers.Go(s.read)
	}
}

func (s *socket) stop() {
	close(s.done)
	if s.streams != nil {
		s.streams.Close()
	} else {
		s.packets.Close()
	}
	s.mu.Lock()
	s.closed = true
	for _, c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.readers.Wait()
}

// rouse ends a wait that is going on.
func (s *socket) rouse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.awake)
	s.awake = make(chan struct{})
}

// give counts a datagram, and waits as long as the receiver is slow.
func (s *socket) give(payload, oob []byte) {
	s.mu.Lock()
	awake := s.awake
	s.mu.Unlock()
	delay := s.take(Datagram{PID: sender(oob), Payload: string(payload)})
	if delay == 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-awake:
	case <-s.done:
	}
}

// read takes datagrams until the socket is closed.
func (s *socket) read() {
	buffer, oob := make([]byte, 1<<16), make([]byte, 256)
	for {
		var n, k int
		var err error
		switch c := s.packets.(type) {
		case *net.UDPConn:
			n, _, err = c.ReadFromUDPAddrPort(buffer)
		case *net.UnixConn:
			n, k, _, _, err = c.ReadMsgUnix(buffer, oob)
		}
		if err != nil {
			return
		}
		s.give(buffer[:n], oob[:k])
	}
}

// accept takes connections until the socket is closed.
func (s *socket) accept() {
	for {
		conn, err := s.streams.AcceptUnix()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.conns = append(s.conns, conn); s.closed || s.set(conn) != nil {
			conn.Close()
		}
		s.mu.Unlock()
		s.readers.Go(func() { s.frames(conn) })
	}
}

// frames takes frames of four bytes of length, the lowest first, and that much
// payload. As in the agent, one that is too long ends the connection.
func (s *socket) frames(conn *net.UnixConn) {
	defer conn.Close()
	length, payload, oob := make([]byte, 4), make([]byte, most), make([]byte, 256)
	for {
		n, k, _, _, err := conn.ReadMsgUnix(length, oob)
		if err != nil || n == 0 {
			return
		}
		if _, err = io.ReadFull(conn, length[n:]); err != nil {
			return
		}
		size := binary.LittleEndian.Uint32(length)
		if size > most {
			return
		}
		if _, err = io.ReadFull(conn, payload[:size]); err != nil {
			return
		}
		s.give(payload[:size], oob[:k])
	}
}

// sender returns the process ID in a message's credentials, 0 if there is none.
func sender(oob []byte) int {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		if c, err := syscall.ParseUnixCredentials(&m); err == nil {
			return int(c.Pid)
		}
	}
	return 0
}
