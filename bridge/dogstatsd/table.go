package dogstatsd

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// A table finds the sender of a source address. IPv4 is looked up by open
// addressing in a power of two of slots, at most half of them taken.
type table struct {
	slots []slot
	shift uint
	used  int
	v6    map[[16]byte]*sender
}

type slot struct {
	address uint32
	sender  *sender // nil: nobody is here
}

func newTable(addresses int) *table {
	size := max(64, 1<<bits.Len(uint(2*addresses)))
	return &table{slots: make([]slot, size), shift: 32 - uint(bits.Len(uint(size))-1), v6: map[[16]byte]*sender{}}
}

// find returns nil for an address that is not in the table.
func (t *table) find(s source) *sender {
	if !s.is4 {
		return t.v6[s.v6]
	}
	mask := len(t.slots) - 1
	for i := t.home(s.v4); ; i = (i + 1) & mask {
		if at := &t.slots[i]; at.sender == nil || at.address == s.v4 {
			return at.sender
		}
	}
}

// home spreads the addresses of one network, which differ in their last bits.
func (t *table) home(address uint32) int { return int(address * 0x9e3779b1 >> t.shift) }

// set makes s the one who has this address.
func (t *table) set(a netip.Addr, s *sender) {
	if a = a.Unmap(); !a.Is4() {
		t.v6[a.As16()] = s
		return
	}
	if 2*(t.used+1) > len(t.slots) {
		t.grow()
	}
	b := a.As4()
	address, mask := binary.BigEndian.Uint32(b[:]), len(t.slots)-1
	for i := t.home(address); ; i = (i + 1) & mask {
		at := &t.slots[i]
		if at.sender == nil {
			t.used++
		} else if at.address != address {
			continue
		}
		*at = slot{address, s}
		return
	}
}

func (t *table) grow() {
	next := newTable(len(t.slots))
	for _, at := range t.slots {
		if at.sender != nil {
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], at.address)
			next.set(netip.AddrFrom4(b), at.sender)
		}
	}
	next.v6 = t.v6
	*t = *next
}

// get is find for an address in its usual form.
func (t *table) get(a netip.Addr) *sender {
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		return t.find(source{v4: binary.BigEndian.Uint32(b[:]), is4: true})
	}
	return t.v6[a.As16()]
}
