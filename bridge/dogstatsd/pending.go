package dogstatsd

import (
	"net/netip"
	"time"
)

const (
	patience   = 250 * time.Millisecond // that a datagram waits for the name of its sender
	mostHeld   = 256 << 10              // bytes that wait so, of all senders together
	strangerIn = time.Second            // an address that was silent for so long may be a new container's
	farewell   = 30 * time.Millisecond  // no container begins so soon after another, on the same address
)

// pending are the datagrams of an address of which nobody knows whose it is.
type pending struct {
	datagrams []early
	until     time.Time // zero: none waits
}

// early is a datagram that came before its sender's name. It arrived between
// two moments: its queue was empty at the first, and it was read at the second.
type early struct {
	bytes       []byte
	after, read time.Time
}

// await keeps a datagram until somebody says whose it is, and reports false
// where there is no room for that.
func (r *Relay) awaitName(s *sender, datagram []byte, after, now time.Time) bool {
	if r.heldBytes+len(datagram) > mostHeld {
		return false
	}
	if s.await.until.IsZero() {
		s.await.until = now.Add(patience)
		r.awaited = append(r.awaited, s)
		if r.Lookup != nil {
			r.Lookup(s.address)
		}
	}
	r.heldBytes += len(datagram)
	s.await.datagrams = append(s.await.datagrams, early{append([]byte(nil), datagram...), after, now})
	return true
}

// release gives the datagrams of one address to their senders: to the container
// that has the address now, to the one that had it before, or to nobody.
func (r *Relay) release(s *sender, now *sender) {
	for _, d := range s.await.datagrams {
		r.heldBytes -= len(d.bytes)
		r.admit(attribute(d, s.previous, now, s), d.bytes)
	}
	s.await = pending{}
}

// attribute says whose an early datagram is. Who had the address before can
// have sent it only before it ended; who has it now, only after that, and not
// before it began: there may have been one in between, too short for a name.
func attribute(d early, before, now, nobody *sender) *sender {
	switch {
	case before == nil || before.ended.IsZero() || !d.after.Before(before.ended):
		if now != nil && !d.read.Add(farewell).Before(now.origin.Started) {
			return now
		}
	case d.read.Sub(before.ended) < farewell:
		return before
	}
	return nobody
}

// expire lets datagrams go whose time is over, without a name.
func (r *Relay) expire(now time.Time) {
	for len(r.awaited) > 0 && !r.awaited[0].await.until.After(now) {
		s := r.awaited[0]
		r.awaited = r.awaited[1:]
		if !s.await.until.IsZero() && !s.await.until.After(now) {
			s.vain = now
			r.release(s, nil)
		}
	}
}

// named gives everything that waits for one of these addresses to who has it.
func (r *Relay) named() {
	still := r.awaited[:0]
	for _, s := range r.awaited {
		now := r.table.get(s.address)
		if now == nil || !now.known || !now.ended.IsZero() {
			still = append(still, s)
			continue
		}
		r.release(s, now)
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
func (r *Relay) stranger(a netip.Addr, previous *sender) *sender {
	k := addressKey(a)
	if s := r.senders[k]; s != nil {
		s.previous = previous
		return s
	}
	if r.strangers >= mostStrangers && !r.evict() {
		return r.others
	}
	r.strangers++
	s := &sender{address: a, previous: previous}
	r.equip(s)
	r.senders[k] = s
	return s
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
			r.gone.add(s.count())
			delete(r.senders, k)
			r.strangers--
		}
	}
	return r.strangers < mostStrangers
}
