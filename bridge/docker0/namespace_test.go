package docker0_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A namespace is a network of its own, in which a test makes what Docker would
// make on a host.
type namespace struct {
	file *os.File
	conn *netlink.Conn
}

// newNamespace needs CAP_SYS_ADMIN. The namespace ends with the test.
func newNamespace(t testing.TB) *namespace {
	t.Helper()
	var file *os.File
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			file, err = os.Open("/proc/thread-self/ns/net")
		}
	}()
	if <-done; err != nil {
		t.Fatalf("make a network namespace, which needs CAP_SYS_ADMIN: %v", err)
	}
	t.Cleanup(func() { _ = file.Close() })
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{NetNS: int(file.Fd())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &namespace{file: file, conn: conn}
}

// do sends one request and returns the kernel's answer to it.
func (n *namespace) do(t testing.TB, kind netlink.HeaderType, flags netlink.HeaderFlags, head []byte, attrs func(*netlink.AttributeEncoder)) []netlink.Message {
	t.Helper()
	e := netlink.NewAttributeEncoder()
	attrs(e)
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := n.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: kind, Flags: netlink.Request | flags},
		Data:   append(head, b...),
	})
	if err != nil {
		t.Fatalf("netlink request %d: %v", kind, err)
	}
	return answer
}

// add makes an interface that is up and returns its index.
func (n *namespace) add(t testing.TB, kind, name string) int {
	t.Helper()
	head := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(head[8:], unix.IFF_UP)
	binary.NativeEndian.PutUint32(head[12:], unix.IFF_UP)
	n.do(t, unix.RTM_NEWLINK, netlink.Acknowledge|netlink.Create|netlink.Excl, head, func(e *netlink.AttributeEncoder) {
		e.String(unix.IFLA_IFNAME, name)
		e.Nested(unix.IFLA_LINKINFO, func(e *netlink.AttributeEncoder) error {
			e.String(unix.IFLA_INFO_KIND, kind)
			return nil
		})
	})
	return n.index(t, name)
}

func (n *namespace) index(t testing.TB, name string) int {
	t.Helper()
	answer := n.do(t, unix.RTM_GETLINK, 0, make([]byte, unix.SizeofIfInfomsg), func(e *netlink.AttributeEncoder) {
		e.String(unix.IFLA_IFNAME, name)
	})
	return int(binary.NativeEndian.Uint32(answer[0].Data[4:]))
}

func (n *namespace) remove(t testing.TB, name string) {
	t.Helper()
	n.do(t, unix.RTM_DELLINK, netlink.Acknowledge, make([]byte, unix.SizeofIfInfomsg), func(e *netlink.AttributeEncoder) {
		e.String(unix.IFLA_IFNAME, name)
	})
}

// up sets an interface up, or down.
func (n *namespace) up(t testing.TB, name string, up bool) {
	t.Helper()
	head := make([]byte, unix.SizeofIfInfomsg)
	if up {
		binary.NativeEndian.PutUint32(head[8:], unix.IFF_UP)
	}
	binary.NativeEndian.PutUint32(head[12:], unix.IFF_UP)
	n.do(t, unix.RTM_NEWLINK, netlink.Acknowledge, head, func(e *netlink.AttributeEncoder) { e.String(unix.IFLA_IFNAME, name) })
}

func (n *namespace) give(t testing.TB, name, prefix string) {
	t.Helper()
	n.address(t, unix.RTM_NEWADDR, netlink.Acknowledge|netlink.Create|netlink.Excl, name, prefix)
}

func (n *namespace) take(t testing.TB, name, prefix string) {
	t.Helper()
	n.address(t, unix.RTM_DELADDR, netlink.Acknowledge, name, prefix)
}

// route makes a route to one address, by an interface.
func (n *namespace) route(t testing.TB, kind netlink.HeaderType, flags netlink.HeaderFlags, name, to string) {
	t.Helper()
	a := netip.MustParseAddr(to)
	head := make([]byte, unix.SizeofRtMsg)
	head[0], head[1], head[4], head[5] = unix.AF_INET, byte(a.BitLen()), unix.RT_TABLE_MAIN, unix.RTPROT_STATIC
	head[6], head[7] = unix.RT_SCOPE_LINK, unix.RTN_UNICAST
	n.do(t, kind, netlink.Acknowledge|flags, head, func(e *netlink.AttributeEncoder) {
		e.Bytes(unix.RTA_DST, a.AsSlice())
		e.Uint32(unix.RTA_OIF, uint32(n.index(t, name)))
	})
}

// has reports whether lo has an address.
func (n *namespace) has(t testing.TB, addr string) bool {
	t.Helper()
	a, index := netip.MustParseAddr(addr), n.index(t, "lo")
	for _, m := range n.do(t, unix.RTM_GETADDR, netlink.Dump, make([]byte, unix.SizeofIfAddrmsg), func(*netlink.AttributeEncoder) {}) {
		if int(binary.NativeEndian.Uint32(m.Data[4:])) == index && bytes.Contains(m.Data[unix.SizeofIfAddrmsg:], a.AsSlice()) {
			return true
		}
	}
	return false
}

func (n *namespace) address(t testing.TB, kind netlink.HeaderType, flags netlink.HeaderFlags, name, prefix string) {
	t.Helper()
	p := netip.MustParsePrefix(prefix)
	head := make([]byte, unix.SizeofIfAddrmsg)
	head[0], head[1] = unix.AF_INET, byte(p.Bits())
	if p.Addr().Is6() {
		head[0], head[2] = unix.AF_INET6, unix.IFA_F_NODAD
	}
	binary.NativeEndian.PutUint32(head[4:], uint32(n.index(t, name)))
	n.do(t, kind, flags, head, func(e *netlink.AttributeEncoder) {
		e.Bytes(unix.IFA_LOCAL, p.Addr().AsSlice())
		e.Bytes(unix.IFA_ADDRESS, p.Addr().AsSlice())
	})
}
