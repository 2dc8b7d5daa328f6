package identity_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/collectors/identity"
)

const (
	header4 = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	eth0    = "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
	eth1    = "eth1\t00000000\t010300C0\t0003\t0\t0\t50\t00000000\t0\t0\t0\n"
	down1   = "eth1\t00000000\t010300C0\t0002\t0\t0\t1\t00000000\t0\t0\t0\n"
	subnet  = "eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
	zero6   = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 "
	eth0v6  = zero6 + "00000400 00000001 00000000 00000003     eth0\n"
	reject6 = zero6 + "ffffffff 00000001 00000000 00200200       lo\n"
)

func up(name string, addresses ...string) identity.Interface {
	i := identity.Interface{Name: name, Up: true}
	for _, a := range addresses {
		i.Addresses = append(i.Addresses, netip.MustParseAddr(a))
	}
	return i
}

func TestTheAddressIsThatOfTheDefaultRoute(t *testing.T) {
	lo, docker0 := up("lo", "127.0.0.1", "::1"), up("docker0", "172.17.0.1")
	first, second := up("eth0", "192.0.2.2", "192.0.2.3", "fe80::1"), up("eth1", "198.51.100.1")
	down := first
	down.Up = false
	tests := map[string]struct {
		v4, v6     string
		interfaces []identity.Interface
		want       string
	}{
		"the primary address of the default route": {eth0 + subnet, "", []identity.Interface{lo, second, first}, "192.0.2.2"},
		"the default route with the least metric":  {eth0 + eth1, "", []identity.Interface{lo, first, second}, "198.51.100.1"},
		"a route that is down does not count":      {down1 + eth0, "", []identity.Interface{lo, second, first}, "192.0.2.2"},
		"an interface that is down does not count": {eth0, "", []identity.Interface{lo, down, second}, "198.51.100.1"},
		"no default route":                         {"", reject6, []identity.Interface{lo, docker0, first}, "192.0.2.2"},
		"IPv6 alone":                               {"", reject6 + eth0v6, []identity.Interface{lo, up("eth0", "fe80::1", "fd00::2", "2001:db8::2")}, "2001:db8::2"},
		"unique local IPv6 alone":                  {"", eth0v6, []identity.Interface{lo, up("eth0", "fe80::1", "fd00::2")}, "fd00::2"},
		"IPv4 before IPv6":                         {eth0, eth0v6, []identity.Interface{up("eth0", "2001:db8::2", "192.0.2.2")}, "192.0.2.2"},
		"neither loopback, link-local nor Docker's": {"", "", []identity.Interface{
			lo, docker0, up("br-0123456789ab", "172.18.0.1"), up("veth1a2b", "172.19.0.1"), up("docker_gwbridge", "172.20.0.1"), up("eth0", "169.254.3.4", "fe80::1"),
		}, ""},
		"a bridge that is not Docker's": {"", "", []identity.Interface{up("br-lan", "192.0.2.9")}, "192.0.2.9"},
		"nonsense instead of routes":    {"eth0 zz\n\x00", "zz", []identity.Interface{first}, "192.0.2.2"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			files := tree{hostname: "web-1", routes4: header4 + tt.v4, routes6: tt.v6}
			h := files.read(t, identity.Reader{Interfaces: func() ([]identity.Interface, error) { return tt.interfaces, nil }})
			got := ""
			if h.Address.IsValid() {
				got = h.Address.String()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDockersBridgesArePrivate(t *testing.T) {
	files := tree{hostname: "web-1"}
	h := files.read(t, identity.Reader{Interfaces: func() ([]identity.Interface, error) {
		return []identity.Interface{up("eth0", "192.0.2.2"), up("docker0", "172.17.0.1"), up("br-0123456789ab", "172.18.0.1")}, nil
	}})
	want := []netip.Addr{netip.MustParseAddr("172.17.0.1"), netip.MustParseAddr("172.18.0.1")}
	if diff := cmp.Diff(want, h.Private, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableInterfacesLeaveTheAddressOpen(t *testing.T) {
	files := tree{hostname: "web-1", routes4: header4 + eth0}
	h := files.read(t, identity.Reader{Interfaces: func() ([]identity.Interface, error) { return nil, errors.New("no netlink") }})
	if h.Address.IsValid() {
		t.Errorf("got %s, want none", h.Address)
	}
}
