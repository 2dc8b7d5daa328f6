package identity

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// An Interface is one network interface of this host.
type Interface struct {
	Name      string
	Up        bool
	Addresses []netip.Addr // in the kernel's order, the primary one first
}

// addresses finds where other hosts reach this one, and the addresses of
// Docker's bridges.
func (r Reader) addresses() (address netip.Addr, private []netip.Addr) {
	list := r.Interfaces
	if list == nil {
		list = interfaces
	}
	all, err := list()
	if err != nil {
		return netip.Addr{}, nil
	}
	var usable []Interface
	for _, i := range all {
		if isDocker(i.Name) {
			private = append(private, i.Addresses...)
		} else if i.Up {
			usable = append(usable, i)
		}
	}
	byRoute := append(routes4(r.read("proc/net/route")), routes6(r.read("proc/net/ipv6_route"))...)
	return choose(usable, byRoute), private
}

// choose takes the address of the best default route that has one, else the
// first address there is, IPv4 before IPv6.
func choose(all []Interface, byRoute []route) netip.Addr {
	for _, to := range byRoute {
		for _, i := range all {
			if i.Name != to.device {
				continue
			}
			if a := first(i.Addresses, to.v6); a.IsValid() {
				return a
			}
		}
	}
	for _, v6 := range []bool{false, true} {
		for _, i := range all {
			if a := first(i.Addresses, v6); a.IsValid() {
				return a
			}
		}
	}
	return netip.Addr{}
}

// first returns the first address of a family that other hosts reach; of IPv6
// addresses one of the whole internet before a unique local one.
func first(addresses []netip.Addr, v6 bool) (found netip.Addr) {
	for _, a := range addresses {
		if a.Is6() != v6 || !a.IsGlobalUnicast() {
			continue // neither loopback, nor link-local, nor multicast is global unicast
		}
		if !v6 || !a.IsPrivate() {
			return a
		}
		if !found.IsValid() {
			found = a
		}
	}
	return found
}

// isDocker reports whether Docker made an interface: docker0, docker_gwbridge,
// the bridge of a user's network (br- and 12 digits; br-lan is somebody
// else's) or the host's end of a container's link.
func isDocker(name string) bool {
	id, bridge := strings.CutPrefix(name, "br-")
	return strings.HasPrefix(name, "docker") || strings.HasPrefix(name, "veth") ||
		bridge && len(id) == 12 && strings.Trim(id, "0123456789abcdef") == ""
}

// interfaces asks the kernel, in the order in which they were made.
func interfaces() ([]Interface, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b net.Interface) int { return cmp.Compare(a.Index, b.Index) })
	all := make([]Interface, 0, len(list))
	for _, i := range list {
		addresses, err := i.Addrs()
		if err != nil {
			continue // it has gone since it was listed
		}
		it := Interface{Name: i.Name, Up: i.Flags&net.FlagUp != 0}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				it.Addresses = append(it.Addresses, p.Addr().Unmap())
			}
		}
		all = append(all, it)
	}
	return all, nil
}
