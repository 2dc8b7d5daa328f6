package dogstatsd

import (
	"net/netip"
	"time"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
	"github.com/berth-dev/berth/collectors/inventory"
)

// A sender is one container, or one address that no container has: its name,
// what has come from it and what became of that.
type sender struct {
	origin  Origin
	known   bool      // it is a container
	ended   time.Time // when its container ended; zero while it runs
	since   int64     // nothing that arrived earlier is this run's; nanoseconds of Unix time
	process int       // a descriptor of its first process, which tells its end; -1: none

	mark  line.Mark // added to each line
	field line.Mark // added where an upstream cannot be told otherwise
	pack  *packet   // where its lines are collected, if not together with those of others
	due   time.Time // when the pack has to go

	address   netip.Addr // of one that is no container
	heard     time.Time
	datagrams uint64
	messages  uint64
	bytes     uint64
	delivered uint64
	dropped   [causes]uint64

	limit limit
	await pending   // while nobody knows who it is
	vain  time.Time // when it last waited in vain
}

// creditable reports whether the kernel would let us name the container's
// process as the sender.
func (s *sender) creditable() bool { return s.known && s.origin.PID != 0 && s.ended.IsZero() }

// causes is how many there are; the index of one in a sender's counters is its
// place here.
const causes = 7

func causeList() [causes]Cause {
	return [causes]Cause{Kernel, Rate, Cardinality, Blocked, Oversize, Ring, Refused}
}

const (
	dropKernel = iota
	dropRate
	dropCardinality
	dropBlocked
	dropOversize
	dropRing
	dropRefused
)

// count is the sender's, for those outside.
func (s *sender) count() Count {
	c := Count{
		Datagrams: s.datagrams, Messages: s.messages, Bytes: s.bytes,
		Delivered: s.delivered, Dropped: map[Cause]uint64{},
	}
	if !s.known {
		c.Unresolved = s.delivered
	}
	c.Held = c.Messages - c.Delivered
	for i, cause := range causeList() {
		if s.dropped[i] == 0 {
			continue
		}
		c.Dropped[cause] = s.dropped[i]
		if i != dropKernel { // those were never read
			c.Held -= s.dropped[i]
		}
	}
	return c
}

// add sums up.
func (c *Count) add(d Count) {
	c.Datagrams += d.Datagrams
	c.Messages += d.Messages
	c.Bytes += d.Bytes
	c.Delivered += d.Delivered
	c.Held += d.Held
	c.Unresolved += d.Unresolved
	for cause, n := range d.Dropped {
		if c.Dropped == nil {
			c.Dropped = map[Cause]uint64{}
		}
		c.Dropped[cause] += n
	}
}

// from is where it sends from, as far as that is known.
func (s *sender) from() netip.Addr {
	if s.known && len(s.origin.Addresses) > 0 {
		return s.origin.Addresses[0]
	}
	return s.address
}

// A key names a sender over the life of the process, and in a ring beyond it:
// the 32 bytes of a container's ID, or an address.
type key [33]byte

const (
	ofContainer = 'c'
	ofAddress   = 'a'
)

func (s *sender) key() key {
	if !s.known {
		return addressKey(s.address)
	}
	return containerKey(s.origin.ID)
}

func containerKey(id inventory.ID) key {
	k := key{ofContainer}
	for i := 0; i+1 < len(id) && i/2 < 32; i += 2 {
		k[1+i/2] = digit(id[i])<<4 | digit(id[i+1])
	}
	return k
}

func addressKey(a netip.Addr) key {
	k := key{ofAddress}
	b := a.As16()
	copy(k[1:], b[:])
	return k
}

func digit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}
