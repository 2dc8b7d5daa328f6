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
	label string // IPv4 only
	proto uint8  // who has set it, as far as the kernel keeps that
}

// A route is what the kernel would do with a packet, or news of that.
type route struct {
	to  netip.Prefix // not valid: the default
	out int          // index of the interface; 0: none
}

// ifaProto is IFA_PROTO of linux/if_addr.h, since Linux 5.18.
const ifaProto = 11

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
		case unix.IFA_LABEL:
			a.label = d.String()
		case ifaProto:
			a.proto = d.Uint8()
		}
	})
	if a.addr = local; !local.IsValid() {
		a.addr = peer
	}
	return a, err
}

// parseRoute reads a struct rtmsg and its attributes.
func parseRoute(b []byte) (route, error) {
	if len(b) < unix.SizeofRtMsg {
		return route{}, errShort
	}
	var r route
	var to netip.Addr
	err := attributes(b[unix.SizeofRtMsg:], func(d *netlink.AttributeDecoder) {
		switch d.Type() {
		case unix.RTA_DST:
			to, _ = netip.AddrFromSlice(d.Bytes())
		case unix.RTA_OIF:
			r.out = int(d.Uint32())
		}
	})
	if to.IsValid() && b[1] > 0 {
		r.to = netip.PrefixFrom(to, int(b[1]))
	}
	return r, err
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
