package jmxmp

import (
	"net/netip"
	"slices"

	"github.com/berth-dev/berth/collectors/inventory"
)

// reach says where other hosts reach a port that is bound to an address, and
// whether they cannot.
func reach(bound netip.Addr, at Host) (addr netip.Addr, local bool) {
	switch bound = bound.Unmap(); {
	case !bound.IsValid():
		return at.Address, false
	case bound.IsUnspecified() && at.Address.IsValid() && bound.Is4() != at.Address.Is4():
		return netip.Addr{}, true
	case bound.IsUnspecified():
		return at.Address, false
	case bound.IsLoopback(), bound.IsLinkLocalUnicast(), bound.IsMulticast(), slices.Contains(at.Private, bound):
		return netip.Addr{}, true
	default:
		return bound, false
	}
}

// shadowed reports whether p is the half of a port that is published on all
// addresses of both families, under a host port each, that the host's address
// does not belong to.
func shadowed(p inventory.Port, all []inventory.Port, host netip.Addr) bool {
	if !p.HostAddr.IsUnspecified() || !host.IsValid() || p.HostAddr.Is4() == host.Is4() {
		return false
	}
	return slices.ContainsFunc(all, func(o inventory.Port) bool {
		return o.Container == p.Container && o.Protocol == p.Protocol &&
			o.HostAddr.IsUnspecified() && o.HostAddr.Is4() == host.Is4()
	})
}

// serviceURL is what JMX clients take. Without an address there is none.
func serviceURL(addr netip.Addr, port uint16) string {
	if !addr.IsValid() {
		return ""
	}
	return "service:jmx:jmxmp://" + netip.AddrPortFrom(addr, port).String()
}
