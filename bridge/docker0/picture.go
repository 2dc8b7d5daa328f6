package docker0

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A picture is what the kernel has listed.
type picture struct {
	links     []link
	addresses []address
}

// skipStats is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h.
const skipStats = 1 << 3

// dumps is how often a listing is asked for that changed while it was read.
const dumps = 20

// list asks for all links, then for all addresses: an address without its link
// is left out, and there will be news of the link.
func list(c *netlink.Conn) (picture, error) {
	var p picture
	err := dump(c, unix.RTM_GETLINK, linkQuery(), func(b []byte) error {
		l, err := parseLink(b)
		p.links = append(p.links, l)
		return err
	})
	if err != nil {
		return picture{}, fmt.Errorf("list links: %w", err)
	}
	err = dump(c, unix.RTM_GETADDR, make([]byte, unix.SizeofIfAddrmsg), func(b []byte) error {
		a, err := parseAddress(b)
		p.addresses = append(p.addresses, a)
		return err
	})
	if err != nil {
		return picture{}, fmt.Errorf("list addresses: %w", err)
	}
	return p, nil
}

// linkQuery leaves the counters out, which are most of an answer.
func linkQuery() []byte {
	skip := netlink.NewAttributeEncoder()
	skip.Uint32(unix.IFLA_EXT_MASK, skipStats)
	attrs, _ := skip.Encode() // one number cannot fail
	return append(make([]byte, unix.SizeofIfInfomsg), attrs...)
}

// dump asks for a whole listing. The kernel marks one that changed while it was
// read, as it can lack what was there all the time: then it is asked for again.
func dump(c *netlink.Conn, kind netlink.HeaderType, query []byte, take func([]byte) error) error {
	for range dumps {
		messages, err := c.Execute(netlink.Message{
			Header: netlink.Header{Type: kind, Flags: netlink.Request | netlink.Dump},
			Data:   query,
		})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(messages, interrupted) {
			continue
		}
		for _, m := range messages {
			if err := take(m.Data); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("the listing never held still")
}

func interrupted(m netlink.Message) bool { return m.Header.Flags&netlink.DumpInterrupted != 0 }

// state is what a picture says of Docker's bridges.
func (p picture) state(first string) State {
	var s State
	for _, l := range p.links {
		if isBridge(l.name, first) {
			s.Bridges = append(s.Bridges, Bridge{Name: l.name, Index: l.index, Up: l.up, Addresses: p.reachable(l.index)})
		}
	}
	slices.SortFunc(s.Bridges, func(a, b Bridge) int {
		switch {
		case a.Name == first:
			return -1
		case b.Name == first:
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	s.Faults = faults(s.Bridges, first)
	return s
}

// reachable are the addresses of a link that containers can send to. One that
// another host was found to have is not ours.
func (p picture) reachable(index int) []netip.Addr {
	var found []netip.Addr
	for _, a := range p.addresses {
		if a.index != index || !a.addr.IsValid() || a.flags&unix.IFA_F_DADFAILED != 0 {
			continue
		}
		if a.addr.Is6() && a.addr.IsLinkLocalUnicast() {
			continue
		}
		found = append(found, a.addr)
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return slices.Compact(found)
}

func faults(bridges []Bridge, first string) []string {
	switch {
	case len(bridges) == 0 || bridges[0].Name != first:
		return []string{first + " is not there: Docker has not made it yet, or runs with bridge: none"}
	case len(bridges[0].Addresses) == 0:
		return []string{first + " has no address"}
	case !bridges[0].Up:
		return []string{first + " is down"}
	}
	return nil
}

// knows reports whether an index belongs to what a state is made of.
func (p picture) knows(index int, first string) bool {
	return slices.ContainsFunc(p.links, func(l link) bool { return l.index == index && isBridge(l.name, first) })
}

// name returns an interface's name; its index if there is none.
func (p picture) name(index int) string {
	for _, l := range p.links {
		if l.index == index {
			return l.name
		}
	}
	return fmt.Sprintf("interface %d", index)
}

// isBridge reports whether an interface is the first, or has the name that
// Docker gives: br- and the beginning of the network's ID.
func isBridge(name, first string) bool {
	digits, ok := strings.CutPrefix(name, "br-")
	return name == first || ok && len(digits) == 12 && strings.Trim(digits, "0123456789abcdef") == ""
}
