package docker0

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A link is one interface of the host.
type link struct {
	index int
	name  string
	up    bool
}

// An address is one address of an interface.
type address struct {
	index int
	addr  netip.Addr
	bits  int
	flags uint32
}

var errShort = errors.New("netlink message is too short")

// parseLink reads a struct ifinfomsg and its attributes.
func parseLink(b []byte) (link, error) {
	if len(b) < unix.SizeofIfInfomsg {
		return link{}, errShort
	}
	l := link{
		index: int(int32(binary.NativeEndian.Uint32(b[4:]))),
		up:    binary.NativeEndian.Uint32(b[8:])&unix.IFF_UP != 0,
	}
	err := attributes(b[unix.SizeofIfInfomsg:], func(d *netlink.AttributeDecoder) {
		if d.Type() == unix.IFLA_IFNAME {
			l.name = d.String()
		}
	})
	return l, err
}

// parseAddress reads a struct ifaddrmsg and its attributes.
func parseAddress(b []byte) (address, error) {
	if len(b) < unix.SizeofIfAddrmsg {
		return address{}, errShort
	}
	a := address{
		bits:  int(b[1]),
		flags: uint32(b[2]),
		index: int(int32(binary.NativeEndian.Uint32(b[4:]))),
	}
	var local, peer netip.Addr // without a peer both are the same, or one is left out
	err := attributes(b[unix.SizeofIfAddrmsg:], func(d *netlink.AttributeDecoder) {
		switch d.Type() {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(d.Bytes())
		case unix.IFA_ADDRESS:
			peer, _ = netip.AddrFromSlice(d.Bytes())
		case unix.IFA_FLAGS: // all 32 bits of them
			a.flags = d.Uint32()
		}
	})
	if a.addr = local; !local.IsValid() {
		a.addr = peer
	}
	return a, err
}

// attributes calls visit for each attribute of a message.
func attributes(b []byte, visit func(*netlink.AttributeDecoder)) error {
	d, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return err
	}
	for d.Next() {
		visit(d)
	}
	return d.Err()
}
