package dogstatsd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/dogstatsd"
	"github.com/berth-dev/berth/collectors/inventory"
)

// A rig is a relay that runs, on a port of 127.0.0.1 of its own. What sends to
// it does so from other addresses of 127.0.0.0/8, one for each container.
type rig struct {
	*dogstatsd.Relay
	t    *testing.T
	to   netip.AddrPort
	stop func()
}

func start(t *testing.T, o dogstatsd.Options) *rig {
	t.Helper()
	r := &rig{t: t, to: freePort(t)}
	r.run(o)
	if err := r.Listen([]netip.AddrPort{r.to}, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) run(o dogstatsd.Options) {
	r.t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Settings.Mode == "" {
		o.Settings.Mode = dogstatsd.Field
	}
	relay, err := dogstatsd.New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Relay = relay
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-ended, relay.Close()); err != nil {
			r.t.Error(err)
		}
	})
	r.t.Cleanup(r.stop)
}

// freePort is a UDP port of 127.0.0.1 that nobody has.
func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// id is the whole ID of the n-th container.
func id(n int) inventory.ID { return inventory.ID(fmt.Sprintf("%064x", n)) }

// home is the address of the n-th container.
func home(n int) netip.Addr { return netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}) }

func container(n int) dogstatsd.Origin {
	return dogstatsd.Origin{
		ID: id(n), Service: fmt.Sprint("service", n), Addresses: []netip.Addr{home(n)}, Started: time.Unix(1000, 0),
		Tags: []string{fmt.Sprint("service:service", n)},
	}
}

// suffix is what the mode Field adds for the n-th container.
func suffix(n int) string { return "|c:ci-" + string(id(n)) }

// a sender is one container's socket.
type client struct {
	t *testing.T
	c *net.UDPConn
}

func (r *rig) client(from netip.Addr) *client {
	r.t.Helper()
	c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), net.UDPAddrFromAddrPort(r.to))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return &client{r.t, c}
}

func (c *client) send(format string, a ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.c, format, a...); err != nil {
		c.t.Fatal(err)
	}
}

// a sink is an upstream that takes note of what it gets.
type sink struct {
	t   *testing.T
	url string

	mu    sync.Mutex // guards the fields below
	conn  net.Conn
	lines []string
	sizes []int         // of datagrams
	nap   time.Duration // after each
}

func udpSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{t: t}
	s.open("udp", "127.0.0.1:0")
	s.url = "udp://" + s.conn.LocalAddr().String()
	return s
}

// unixSink listens when open is called.
func unixSink(t *testing.T) *sink {
	t.Helper()
	return &sink{t: t, url: "unixgram://" + filepath.Join(t.TempDir(), "dsd.socket")}
}

func (s *sink) path() string { return strings.TrimPrefix(s.url, "unixgram://") }

// listen makes a unix sink be there, in the place of an earlier one.
func (s *sink) listen() {
	_ = os.Remove(s.path())
	s.open("unixgram", s.path())
}

func (s *sink) open(network, address string) {
	s.t.Helper()
	var conn net.Conn
	var err error
	if network == "udp" {
		var at *net.UDPAddr
		if at, err = net.ResolveUDPAddr(network, address); err == nil {
			conn, err = net.ListenUDP(network, at)
		}
		if err == nil {
			roomy(conn.(*net.UDPConn))
		}
	} else {
		conn, err = net.ListenUnixgram(network, &net.UnixAddr{Name: address, Net: network})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	s.t.Cleanup(func() { _ = conn.Close() })
	go s.read(conn)
}

// roomy gives a test's server a buffer that no pause of the machine fills.
func roomy(c *net.UDPConn) {
	_ = c.SetReadBuffer(8 << 20)
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20) })
	}
}

func (s *sink) read(conn net.Conn) {
	buffer := make([]byte, 1<<17)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.sizes = append(s.sizes, n)
		for l := range bytes.Lines(buffer[:n]) {
			if l[len(l)-1] != '\n' {
				s.t.Errorf("the line %.100q has no end", l)
			}
			s.lines = append(s.lines, string(bytes.TrimSuffix(l, []byte("\n"))))
		}
		nap := s.nap
		s.mu.Unlock()
		if nap > 0 {
			rest(nap)
		}
	}
}

func (s *sink) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.conn.Close()
}

func (s *sink) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

// want waits until n lines have come, and returns them.
func (s *sink) want(n int) []string {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d lines at the upstream", n), func() bool { return len(s.got()) >= n })
	return s.got()
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); rest(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain waited for %s", what)
		}
	}
}

// balanced waits until nothing is held, and holds R1: what came was delivered
// or dropped.
func (r *rig) balanced() dogstatsd.Stats {
	r.t.Helper()
	var s dogstatsd.Stats
	eventually(r.t, "nothing to be held", func() bool {
		s = r.Stats()
		return s.Total.Held == 0
	})
	for _, of := range s.Senders {
		sum := of.Delivered
		for cause, n := range of.Dropped {
			if cause != dogstatsd.Kernel {
				sum += n
			}
		}
		if sum != of.Messages {
			r.t.Errorf("R1: of %d messages of %s %s, %d are accounted for", of.Messages, of.Container.Short(), of.Address, sum)
		}
	}
	return s
}

// rest lets time pass where it is what a test is about.
func rest(d time.Duration) { <-time.After(d) }
