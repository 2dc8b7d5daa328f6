package dogstatsd

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A Cause is why a message was not delivered.
type Cause string

// The causes.
const (
	Kernel      Cause = "kernel"      // the socket's buffer was full; datagrams, not messages
	Rate        Cause = "rate"        // above Settings.Rate
	Cardinality Cause = "cardinality" // a new context above Settings.Contexts
	Blocked     Cause = "blocked"     // its name is in Settings.Block
	Oversize    Cause = "oversize"    // longer than a datagram can be
	Ring        Cause = "ring"        // the oldest of what was held had to make room
	Refused     Cause = "upstream"    // the upstream refused this one for good
)

// A Count is what came from one container, or from all, since the relay began
// or since the container was first heard, and what became of it. A message is a
// line that is not empty.
type Count struct {
	Datagrams  uint64
	Messages   uint64
	Bytes      uint64
	Delivered  uint64 // messages that the first upstream, or the fallback, took
	Held       uint64 // messages that are on their way
	Unresolved uint64 // messages that went on without an origin
	Dropped    map[Cause]uint64
}

// A Sender is one container, or one address that no container has.
type Sender struct {
	Container inventory.ID // empty: not a container's address
	Service   string
	Address   netip.Addr // its first; invalid for the addresses beyond the first that no container has
	Last      time.Time  // when the newest datagram was read
	Count
}

// A Socket is one of those that listen on an address.
type Socket struct {
	Address netip.AddrPort
	Buffer  int    // bytes that the kernel has granted
	Dropped uint64 // datagrams, for which the buffer had no room
}

// An Outlet is the state of one upstream.
type Outlet struct {
	URL       string
	Up        bool
	Fault     string // why not; empty while it is up
	Since     time.Time
	Datagrams uint64 // taken
	Messages  uint64
	Bytes     uint64
	Dropped   uint64 // messages that it has cost
	Held      int64  // bytes that wait for it
}

// Stats are what a relay has done so far.
type Stats struct {
	Mode    Mode          // in force: never Auto
	Why     string        // for which reason Auto came to it
	Wait    time.Duration // after the first datagram of a batch
	Total   Count
	Senders []Sender // busiest first
	Sockets []Socket
	Outlets []Outlet // the upstreams in their order, then the fallback
}

// Stats returns what the relay has done so far.
func (r *Relay) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sockets {
		s.count(time.Now())
	}
	all := Stats{Mode: r.mode, Why: r.why, Wait: r.pace.wait}
	all.Total.add(r.gone)
	for _, s := range r.senders {
		all.Senders = append(all.Senders, s.state())
	}
	if r.others.datagrams > 0 || r.others.dropped[dropKernel] > 0 {
		all.Senders = append(all.Senders, r.others.state())
	}
	for _, s := range all.Senders {
		all.Total.add(s.Count)
	}
	for _, s := range r.sockets {
		all.Sockets = append(all.Sockets, Socket{s.address, s.buffer, s.dropped})
		all.Total.add(Count{Dropped: map[Cause]uint64{Kernel: s.dropped - s.told}})
	}
	for _, l := range r.lanes {
		all.Outlets = append(all.Outlets, l.state())
	}
	for _, o := range r.lanes[0].outlets[1:] {
		all.Outlets = append(all.Outlets, o.state())
	}
	slices.SortFunc(all.Senders, func(a, b Sender) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), a.Address.Compare(b.Address), cmp.Compare(a.Container, b.Container))
	})
	return all
}

func (s *sender) state() Sender {
	return Sender{Container: s.origin.ID, Service: s.origin.Service, Address: s.from(), Last: s.heard, Count: s.count()}
}

func (l *lane) state() Outlet {
	o := l.outlets[0].state()
	o.Held = l.ring.Bytes()
	for _, p := range l.aside {
		o.Held += int64(len(p.body))
	}
	return o
}
