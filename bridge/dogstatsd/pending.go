package dogstatsd

import (
	"net/netip"
	"slices"
	"time"
)

const (
	patience   = 250 * time.Millisecond // that a datagram waits for the name of its sender
	mostHeld   = 256 << 10              // bytes that wait so, of all senders together
	strangerIn = time.Second            // an address that was silent for so long may be a new container's

	// Docker says a little late when a container began. No container begins so
	// soon after the end of another that had its address.
	margin = 30 * time.Millisecond
)

// pending are the datagrams of an address of which nobody knows whose it is.
type pending struct {
	datagrams []early
	until     time.Time // zero: none waits
}

// early is a datagram that came before its sender's name.
type early struct {
	bytes   []byte
	arrived int64
}

// awaitName keeps a datagram until somebody says whose it is, and reports false
// where there is no room for that.
func (r *Relay) awaitName(s *sender, datagram []byte, arrived int64) bool {
	if r.heldBytes+len(datagram) > mostHeld {
		return false
	}
	if s.await.until.IsZero() {
		s.await.until = r.now.Add(patience)
		r.awaited = append(r.awaited, s)
		if r.Lookup != nil {
			r.Lookup(s.address)
		}
	}
	r.heldBytes += len(datagram)
	s.await.datagrams = append(s.await.datagrams, early{append([]byte(nil), datagram...), arrived})
	return true
}

// release gives the datagrams of an address to whoever had it when they arrived.
func (r *Relay) release(s *sender) {
	for _, d := range s.await.datagrams {
		r.heldBytes -= len(d.bytes)
		of := r.owner(s.address, d.arrived)
		if of == nil {
			of = s
		}
		r.admit(of, d.bytes)
	}
	s.await = pending{}
}

// owner returns the container that had an address at that time, nil for none.
// One that was too short to be named may have been there between two others:
// what came then is nobody's.
func (r *Relay) owner(a netip.Addr, at int64) *sender {
	now := r.table.get(a)
	if now == nil {
		return nil
	}
	if now.had(a, at) {
		return now
	}
	for _, s := range r.senders {
		if s.known && s.had(a, at) {
			return s
		}
	}
	return nil
}

// had reports whether a container had an address at that time.
func (s *sender) had(a netip.Addr, at int64) bool {
	return at >= s.since && (s.ended.IsZero() || at <= s.ended.UnixNano()) && slices.Contains(s.origin.Addresses, a)
}

// expire lets datagrams go whose time is over, without a name.
func (r *Relay) expire(now time.Time) {
	for len(r.awaited) > 0 && !r.awaited[0].await.until.After(now) {
		s := r.awaited[0]
		r.awaited = r.awaited[1:]
		if !s.await.until.IsZero() && !s.await.until.After(now) {
			s.vain = now
			r.release(s)
		}
	}
}

// named gives everything that waits for an address to who has it now.
func (r *Relay) named() {
	still := r.awaited[:0]
	for _, s := range r.awaited {
		if now := r.table.get(s.address); now == nil || !now.ended.IsZero() {
			still = append(still, s)
			continue
		}
		r.release(s)
	}
	clear(r.awaited[len(still):])
	r.awaited = still
}

// silent is after what time a stranger's counters make room for another's.
const silent = time.Minute

// mostStrangers is how many addresses without a container have counters of
// their own; a spoofed source makes as many as it likes.
const mostStrangers = 256

// stranger returns the sender of an address that no container has.
func (r *Relay) stranger(a netip.Addr) *sender {
	k := addressKey(a)
	if s := r.senders[k]; s != nil {
		return s
	}
	if r.strangers >= mostStrangers && !r.evict() {
		return r.others
	}
	r.strangers++
	s := &sender{address: a, process: -1}
	r.equip(s)
	r.senders[k] = s
	return s
}

// drop sums up the counters of a sender, and forgets it.
func (r *Relay) drop(k key, s *sender) {
	r.gone.add(s.count())
	delete(r.senders, k)
	for _, socket := range r.sockets {
		if socket.only == s {
			socket.only = nil
		}
	}
}

// evict sums up the counters of strangers that have been silent for long, and
// reports whether that made room. It looks no more than once a second.
func (r *Relay) evict() bool {
	if r.now.Sub(r.evicted) < time.Second {
		return false
	}
	r.evicted = r.now
	for k, s := range r.senders {
		if !s.known && r.now.Sub(s.heard) > silent && s.await.until.IsZero() && s.count().Held == 0 {
			r.drop(k, s)
			r.strangers--
		}
	}
	return r.strangers < mostStrangers
}
