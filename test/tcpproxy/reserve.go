package tcpproxy

import (
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// Reserve returns an address on loopback that is the test's own until it ends,
// whether or not somebody listens there at the moment: the kernel gives the port
// of a bound socket to nobody who asks for just any.
func Reserve(t testing.TB) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	loopback := netip.MustParseAddr("127.0.0.1")
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) // for who listens
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: loopback.As4()})
	}
	bound, err2 := unix.Getsockname(fd)
	at, ok := bound.(*unix.SockaddrInet4)
	if err != nil || err2 != nil || !ok {
		t.Fatal(fmt.Errorf("reserve a port: %w", err))
	}
	return netip.AddrPortFrom(loopback, uint16(at.Port)).String()
}
