package docker0_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/docker0"
)

func TestTheOwnerOfAPortIsNamed(t *testing.T) {
	tests := map[string]struct{ network, held, wanted string }{
		"on the address itself":         {"udp4", "127.0.0.1", "127.0.0.1"},
		"on the address itself, IPv6":   {"udp6", "::1", "::1"},
		"on all addresses":              {"udp4", "0.0.0.0", "127.0.0.7"},
		"on all addresses of both":      {"udp", "::", "127.0.0.7"},
		"on all addresses of IPv6":      {"udp6", "::", "::1"},
		"on an address written as IPv6": {"udp4", "127.0.0.1", "::ffff:127.0.0.1"},
		"on one of all":                 {"udp4", "127.0.0.1", "0.0.0.0"},
		"on one of all, both":           {"udp4", "127.0.0.1", "::"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := net.ListenPacket(tt.network, net.JoinHostPort(tt.held, "0"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			port := c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
			wanted := netip.AddrPortFrom(netip.MustParseAddr(tt.wanted), port)
			o, err := docker0.FindOwner(wanted)
			if err != nil {
				t.Fatal(err)
			}
			want := docker0.Owner{
				PID: os.Getpid(), Comm: o.Comm, Inode: inodeOf(t, c.(*net.UDPConn)), UID: uint32(os.Getuid()),
				Address: netip.AddrPortFrom(netip.MustParseAddr(tt.held), port),
			}
			if o != want {
				t.Errorf("the owner of %s is %+v, want %+v", wanted, o, want)
			}
			comm, err := os.ReadFile("/proc/self/comm")
			if err != nil || o.Comm != strings.TrimSpace(string(comm)) || !strings.Contains(o.String(), o.Comm) {
				t.Errorf("the owner is called %q in %q, want %q (%v)", o.Comm, o, comm, err)
			}
		})
	}
}

// Both have the port, by SO_REUSEADDR; who has the address is in our way.
func TestWhoHasTheAddressIsNamedBeforeWhoHasAll(t *testing.T) {
	reuse := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) }), err)
	}}
	all, err := reuse.ListenPacket(context.Background(), "udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = all.Close() })
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), all.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	one, err := reuse.ListenPacket(context.Background(), "udp4", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = one.Close() })
	if o, err := docker0.FindOwner(at); err != nil || o.Inode != inodeOf(t, one.(*net.UDPConn)) {
		t.Errorf("the owner is %+v, %v, want who has the address", o, err)
	}
}

func TestAFreePortHasNoOwner(t *testing.T) {
	c, at := udp(t, "127.0.0.1")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if o, err := docker0.FindOwner(at); !errors.Is(err, docker0.ErrNoOwner) {
		t.Errorf("the owner is %+v, %v, want none", o, err)
	}
}

func inodeOf(t *testing.T, c *net.UDPConn) uint64 {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	var statErr error
	if err := errors.Join(raw.Control(func(fd uintptr) { statErr = unix.Fstat(int(fd), &st) }), statErr); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}
