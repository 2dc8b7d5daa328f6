package dogstatsd

import (
	"encoding/binary"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
)

const (
	packetSize = 8192  // bytes: what a server reads by default
	udpSize    = 7424  // to this host: the kernel stores 8192 bytes in 16 KiB, and a server's buffer holds half as much
	wireSize   = 1432  // to another host, through whose network no more passes whole
	mostUDP    = 65507 // bytes in one UDP datagram
)

// A packet is a datagram on its way out: lines, and whose they are.
type packet struct {
	body  []byte
	parts []part
	bare  *sender // all lines are this one's, and do not say so; nil: they do
}

// A part is how many of a packet's messages are one sender's.
type part struct {
	sender   *sender
	messages uint32
}

func newPacket() *packet { return &packet{body: make([]byte, 0, packetSize)} }

func (p *packet) empty() bool { return len(p.body) == 0 }

func (p *packet) reset() { p.body, p.parts, p.bare = p.body[:0], p.parts[:0], nil }

// add appends a line with its mark.
func (p *packet) add(s *sender, m *line.Mark, ln []byte) {
	p.body = m.Append(p.body, ln)
	p.credit(s)
}

func (p *packet) credit(s *sender) {
	if n := len(p.parts); n > 0 && p.parts[n-1].sender == s {
		p.parts[n-1].messages++
		return
	}
	p.parts = append(p.parts, part{s, 1})
}

func (p *packet) messages() (n uint64) {
	for _, of := range p.parts {
		n += uint64(of.messages)
	}
	return n
}

func (p *packet) delivered() {
	for _, of := range p.parts {
		of.sender.delivered += uint64(of.messages)
	}
}

func (p *packet) lost(cause int) {
	for _, of := range p.parts {
		of.sender.dropped[cause] += uint64(of.messages)
	}
}

// What a packet is in a ring: a head, one of these for each part, its body.
const (
	headSize = 4              // whether it is bare, 3 bytes of how many parts
	partSize = len(key{}) + 4 // whose, how many messages
)

// head encodes all but the body.
func (p *packet) head(to []byte) []byte {
	flags := uint32(len(p.parts)) << 8
	if p.bare != nil {
		flags |= 1
	}
	to = binary.NativeEndian.AppendUint32(to[:0], flags)
	for _, of := range p.parts {
		k := of.sender.key()
		to = append(to, k[:]...)
		to = binary.NativeEndian.AppendUint32(to, of.messages)
	}
	return to
}

// decode reads what was written into a ring, perhaps by an earlier process. The
// body is not copied. A record that is none has no parts and no body.
func (p *packet) decode(record []byte, who func(key) *sender) {
	p.body, p.parts, p.bare = nil, p.parts[:0], nil
	if len(record) < headSize {
		return
	}
	flags := binary.NativeEndian.Uint32(record)
	record = record[headSize:]
	n := int(flags >> 8)
	if len(record) < n*partSize {
		return
	}
	for range n {
		p.parts = append(p.parts, part{who(key(record)), binary.NativeEndian.Uint32(record[len(key{}):])})
		record = record[partSize:]
	}
	if flags&1 != 0 && n == 1 {
		p.bare = p.parts[0].sender
	}
	p.body = record
}

// marked splits a bare packet into some whose lines say whose they are.
func (p *packet) marked() (all []*packet) {
	s := p.bare
	now := newPacket()
	for rest := p.body; ; {
		var ln []byte
		var more bool
		if ln, rest, more = line.Next(rest); !more {
			break
		}
		if !now.empty() && len(now.body)+s.field.Max(ln) > packetSize {
			all = append(all, now)
			now = newPacket()
		}
		now.add(s, &s.field, ln)
	}
	return append(all, now)
}
