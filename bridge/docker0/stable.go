package docker0

import (
	"errors"
	"fmt"
	"net/netip"
)

// lo is the interface that has the stable address: it is always there, and
// what comes for its addresses by a bridge is taken.
const lo = "lo"

// How an address on lo is known to be ours, after a restart too. IPv4 has the
// label, which ip shows; IPv6 has none, and where the kernel keeps no protocol
// (before 5.18) one that was withdrawn while Berth was down stays.
const (
	ourLabel = "lo:berth"
	ourProto = 0xb7
)

func (a address) ours() bool { return a.label == ourLabel || a.addr.Is6() && a.proto == ourProto }

// CheckStable says why an address cannot be a stable one on any host.
func CheckStable(a netip.Addr) error {
	// From the metadata service to the ECS agent's credentials, and the bridge
	// ecs-bridge of tasks in awsvpc mode with all their addresses.
	first, last := netip.MustParseAddr("169.254.169.0"), netip.MustParseAddr("169.254.175.255")
	switch {
	case !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.Is4In6() || a.Zone() != "":
		return errors.New("is no address of one host")
	case a.IsLoopback():
		return errors.New("is a loopback address, which in a container is the container itself")
	case a.Is6() && a.IsLinkLocalUnicast():
		return errors.New("is a link-local IPv6 address, which no route leads to")
	case a.Is4() && first.Compare(a) <= 0 && a.Compare(last) <= 0:
		return errors.New("is in 169.254.169.0-169.254.175.255, where EC2 and ECS have their metadata, credentials and bridge")
	case netip.MustParsePrefix("fd00:ec2::/32").Contains(a):
		return errors.New("is in fd00:ec2::/32, where EC2 has its metadata")
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return errors.New("is the broadcast address")
	}
	return nil
}

// A placing is what to do about the stable address.
type placing struct {
	remove []address // ours that nobody wants any more
	add    bool
	there  bool
	fault  string // why it cannot be added
}

// place decides. The route is the one by which this host would reach the
// address now; zero if it would not.
func (p picture) place(stable netip.Addr, first string, way route) placing {
	var out placing
	var others []string
	for _, a := range p.addresses {
		switch on := p.name(a.index); {
		case a.addr == stable && on == lo:
			out.there = true
		case a.addr == stable:
			others = append(others, on)
		case on == lo && a.ours():
			out.remove = append(out.remove, a)
		}
	}
	if !stable.IsValid() {
		return out
	}
	switch err := CheckStable(stable); {
	case err != nil:
		out.fault, out.there = err.Error(), false
	case len(others) > 0:
		out.fault = "is an address of " + others[0]
	case out.there:
	case way.to.IsValid() && way.to.IsSingleIP():
		out.fault = "has a route of its own by " + p.name(way.out)
	case way.to.IsValid() && p.knows(way.out, first):
		out.fault = fmt.Sprintf("is in %s, where containers of %s can have it", way.to, p.name(way.out))
	default:
		out.add = true
	}
	return out
}
