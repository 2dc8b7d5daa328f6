package docker0_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A container sends to the stable address while docker0's is changed and the
// Watcher is stopped and started: all of it arrives.
func TestAContainerReachesTheStableAddressWhateverHappens(t *testing.T) {
	n := host(t)
	container := n.container(t, "172.17.0.2/16", "172.17.0.1")
	stop := start(t, n, "169.254.231.1", inPlace("169.254.231.1"))
	listener := n.listen(t, "169.254.231.1:8125")
	send := container.dial(t, "169.254.231.1:8125")
	sent := 0
	arrives := func(when string) {
		t.Helper()
		sent++
		want := fmt.Sprintf("placed:%d|c", sent)
		if _, err := send.Write([]byte(want)); err != nil {
			t.Fatalf("send %s: %v", when, err)
		}
		b := make([]byte, 100)
		_ = listener.SetReadDeadline(time.Now().Add(patience))
		if got, err := listener.Read(b); err != nil || string(b[:got]) != want {
			t.Fatalf("%s %q, %v arrived, want %q", when, b[:got], err, want)
		}
	}
	arrives("at first")
	n.give(t, "docker0", "10.200.0.1/24")
	arrives("while docker0 has two addresses")
	n.take(t, "docker0", "172.17.0.1/16")
	n.give(t, "docker0", "172.17.0.254/16")
	arrives("when the gateway's address has gone to another")
	stop()
	arrives("while nobody watches")
	start(t, n, "169.254.231.1", inPlace("169.254.231.1"))
	arrives("after a restart")
}

// container is a namespace whose eth0 is at docker0, as Docker makes it.
func (n *namespace) container(t *testing.T, prefix, gateway string) *namespace {
	t.Helper()
	c := newNamespace(t)
	up := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(up[8:], unix.IFF_UP)
	binary.NativeEndian.PutUint32(up[12:], unix.IFF_UP)
	n.do(t, unix.RTM_NEWLINK, netlink.Acknowledge|netlink.Create|netlink.Excl, up, func(e *netlink.AttributeEncoder) {
		e.String(unix.IFLA_IFNAME, "veth1")
		e.Uint32(unix.IFLA_MASTER, uint32(n.index(t, "docker0")))
		e.Nested(unix.IFLA_LINKINFO, func(e *netlink.AttributeEncoder) error {
			e.String(unix.IFLA_INFO_KIND, "veth")
			e.Nested(unix.IFLA_INFO_DATA, func(e *netlink.AttributeEncoder) error {
				e.Do(1, func() ([]byte, error) { // VETH_INFO_PEER
					peer := netlink.NewAttributeEncoder()
					peer.String(unix.IFLA_IFNAME, "eth0")
					peer.Uint32(unix.IFLA_NET_NS_FD, uint32(c.file.Fd()))
					b, err := peer.Encode()
					return append(make([]byte, unix.SizeofIfInfomsg), b...), err
				})
				return nil
			})
			return nil
		})
	})
	c.up(t, "eth0", true)
	c.give(t, "eth0", prefix)
	head := make([]byte, unix.SizeofRtMsg)
	head[0], head[4], head[5], head[7] = unix.AF_INET, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RTN_UNICAST
	c.do(t, unix.RTM_NEWROUTE, netlink.Acknowledge|netlink.Create, head, func(e *netlink.AttributeEncoder) {
		e.Bytes(unix.RTA_GATEWAY, netip.MustParseAddr(gateway).AsSlice())
	})
	return c
}

// inside calls f on a thread of the namespace: sockets made there stay there.
func (n *namespace) inside(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func (n *namespace) listen(t *testing.T, at string) (c *net.UDPConn) {
	t.Helper()
	n.inside(t, func() (err error) {
		c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
		return err
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (n *namespace) dial(t *testing.T, to string) (c *net.UDPConn) {
	t.Helper()
	n.inside(t, func() (err error) {
		c, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to)))
		return err
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}
