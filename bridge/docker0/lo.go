package docker0

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// settle does what the stable address needs, and says in s how it stands. An
// address that was added counts once it is listed: there will be news of it.
func (w *Watcher) settle(c *netlink.Conn, p picture, s *State) error {
	way, err := lookUp(c, w.Stable)
	if err != nil {
		return err
	}
	todo := p.place(w.Stable, w.Interface, way)
	for _, a := range todo.remove {
		if err := p.change(c, unix.RTM_DELADDR, a.addr); err != nil {
			s.Faults = append(s.Faults, fmt.Sprintf("the former stable address %s stays on lo: %v", a.addr, err))
			continue
		}
		w.Log.Info("removed the former stable address", "address", a.addr)
	}
	if todo.add {
		if err := p.change(c, unix.RTM_NEWADDR, w.Stable); err != nil {
			todo.fault = "could not be set: " + err.Error()
		} else {
			w.Log.Info("set the stable address", "address", w.Stable)
		}
	}
	if todo.fault != "" {
		s.Faults = append(s.Faults, fmt.Sprintf("the stable address %s %s", w.Stable, todo.fault))
	}
	if todo.there {
		s.Stable = w.Stable
	}
	return nil
}

// lookUp asks the kernel for the route that it would take to an address. It
// needs no listing: a host can have a million routes.
func lookUp(c *netlink.Conn, to netip.Addr) (route, error) {
	if !to.IsValid() {
		return route{}, nil
	}
	head := make([]byte, unix.SizeofRtMsg)
	head[0], head[1] = family(to), byte(to.BitLen())
	binary.NativeEndian.PutUint32(head[8:], unix.RTM_F_FIB_MATCH)
	e := netlink.NewAttributeEncoder()
	e.Bytes(unix.RTA_DST, to.AsSlice())
	attrs, err := e.Encode()
	if err != nil {
		return route{}, err
	}
	answer, err := c.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETROUTE, Flags: netlink.Request},
		Data:   append(head, attrs...),
	})
	if unreachable(err) || err == nil && len(answer) == 0 {
		return route{}, nil
	}
	if err != nil {
		return route{}, fmt.Errorf("look up the route to %s: %w", to, err)
	}
	return parseRoute(answer[0].Data)
}

// unreachable reports whether an error says that there is no route, or one
// that lets nothing through: nobody is there then whom we could displace.
func unreachable(err error) bool {
	return slices.ContainsFunc([]error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL},
		func(is error) bool { return errors.Is(err, is) })
}

// change adds an address to lo, or removes it. That it is there already, or
// not there any more, is well.
func (p picture) change(c *netlink.Conn, kind netlink.HeaderType, addr netip.Addr) error {
	head := make([]byte, unix.SizeofIfAddrmsg)
	head[0], head[1] = family(addr), byte(addr.BitLen())
	// Of this scope it is never chosen as the source of what this host sends.
	head[3] = unix.RT_SCOPE_LINK
	binary.NativeEndian.PutUint32(head[4:], p.loIndex())
	e := netlink.NewAttributeEncoder()
	e.Bytes(unix.IFA_LOCAL, addr.AsSlice())
	e.Bytes(unix.IFA_ADDRESS, addr.AsSlice())
	flags := netlink.Request | netlink.Acknowledge
	if kind == unix.RTM_NEWADDR {
		flags |= netlink.Create | netlink.Excl
		if addr.Is4() {
			e.String(unix.IFA_LABEL, ourLabel)
		}
		e.Uint8(ifaProto, ourProto)
	}
	attrs, err := e.Encode()
	if err != nil {
		return err
	}
	_, err = c.Execute(netlink.Message{
		Header: netlink.Header{Type: kind, Flags: flags},
		Data:   append(head, attrs...),
	})
	switch {
	case errors.Is(err, unix.EPERM):
		return errors.New("that needs CAP_NET_ADMIN")
	case errors.Is(err, unix.EEXIST), errors.Is(err, unix.EADDRNOTAVAIL):
		return nil
	}
	return err
}

func (p picture) loIndex() uint32 {
	for _, l := range p.links {
		if l.name == lo {
			return uint32(l.index)
		}
	}
	return 1 // the kernel makes it first
}

func family(a netip.Addr) byte {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
