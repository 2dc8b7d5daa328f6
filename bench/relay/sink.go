package relay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// sinkOrders say how a receiver receives.
type sinkOrders struct {
	Address string // of a UDP socket, or the path of a unix one
	Cred    bool   // the unix socket asks for credentials
	Count   bool   // do nothing but count, behind a big buffer
	Victim  bool   // tell the victim's messages apart
}

// A taken is what a receiver has received.
type taken struct {
	Datagrams int64
	Messages  int64
	Victim    int64 // of the messages
}

// tally counts as the receiver goes.
type tally struct {
	datagrams, messages, victim atomic.Int64
	watch                       bool // for the victim
}

func (t *tally) add(datagram []byte) {
	lines := int64(bytes.Count(datagram, []byte{'\n'}))
	if n := len(datagram); n > 0 && datagram[n-1] != '\n' {
		lines++
	}
	if t.watch {
		t.victim.Add(int64(bytes.Count(datagram, []byte("victim."))))
	}
	t.datagrams.Add(1)
	t.messages.Add(lines)
}

func (t *tally) now() taken {
	return taken{Datagrams: t.datagrams.Load(), Messages: t.messages.Load(), Victim: t.victim.Load()}
}

// sink receives until its input ends, and answers each line of it with what it
// has received so far.
func sink(o sinkOrders, in io.Reader, out io.Writer) error {
	conn, err := o.listen()
	if err != nil {
		return err
	}
	t := &tally{watch: o.Victim}
	failed := make(chan error, 1)
	switch {
	case o.Count:
		go func() { failed <- count(conn, t) }()
	default:
		go func() { failed <- newServer(t).receive(conn) }()
	}
	answers := json.NewEncoder(out)
	for asked := bufio.NewScanner(in); asked.Scan(); {
		select {
		case err := <-failed:
			return err
		default:
		}
		if err := answers.Encode(t.now()); err != nil {
			return err
		}
	}
	return nil
}

// listen opens the socket with the buffer that it has by default, but to count.
func (o sinkOrders) listen() (packetConn, error) {
	if addr, err := netip.ParseAddrPort(o.Address); err == nil {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr))
		if err == nil && o.Count {
			err = grow(conn, 64<<20)
		}
		return conn, err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: o.Address, Net: "unixgram"})
	if err != nil || !o.Cred {
		return conn, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) }); err != nil {
		return nil, err
	}
	return conn, set
}

// packetConn is what UDP and unix datagram sockets have in common here.
type packetConn interface {
	net.PacketConn
	SyscallConn() (syscall.RawConn, error)
}

// count takes many datagrams at a time.
func count(conn packetConn, t *tally) error {
	const slots = 64
	msgs, bufs := make([]unix.Mmsghdr, slots), make([][]byte, slots)
	iovs := make([]unix.Iovec, slots)
	for n := range msgs {
		bufs[n] = make([]byte, 16<<10)
		iovs[n].Base = &bufs[n][0]
		iovs[n].SetLen(len(bufs[n]))
		msgs[n].Hdr.Iov = &iovs[n]
		msgs[n].Hdr.SetIovlen(1)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	for {
		got, err := receiveMany(raw, msgs)
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		for n := range got {
			t.add(bufs[n][:msgs[n].Len])
		}
	}
}
