package dogstatsd

import (
	"math"
	"slices"
	"time"

	"github.com/berth-dev/berth/bridge/dogstatsd/ring"
)

const (
	tick       = 5 * time.Millisecond // between two steps of a replay
	replayStep = 2 * packetSize       // bytes a tick, where less is live
	replayed   = 8                    // packets are offered at once
)

// A lane is the way of all packets to one upstream, or to its fallback, and
// what waits for them. Order is kept: while something waits, the newest goes
// behind it.
type lane struct {
	outlets []*outlet // the first that is there is used
	ring    *ring.Ring
	aside   []*packet // taken out of the ring, and to go before the rest of it
	counts  bool      // what this lane delivers is what the relay delivers
	who     func(key) *sender

	live   float64   // bytes a second, smoothed
	fresh  int       // bytes since the last measure
	since  time.Time // of that
	ticked time.Time // when the replay made its last step

	records [][]byte
	decoded [replayed]packet
	batch   []*packet
	head    []byte
}

// send hands packets on, or holds what cannot go now.
func (l *lane) send(packets []*packet, now time.Time) {
	l.measure(packets, now)
	if l.sips() { // it may have read meanwhile: a long batch is many of these
		for _, o := range l.outlets {
			o.full = false
		}
		l.replay(now)
	}
	if !l.waiting() {
		packets = l.through(packets, now)
		l.ticked = now
	}
	for _, p := range packets {
		l.hold(p)
	}
}

// waiting reports whether something is held.
func (l *lane) waiting() bool { return len(l.aside) > 0 || l.ring.Len() > 0 }

// measure smooths the rate of what comes, over about a second.
func (l *lane) measure(packets []*packet, now time.Time) {
	for _, p := range packets {
		l.fresh += len(p.body)
	}
	if passed := now.Sub(l.since).Seconds(); passed > 0.05 {
		weight := min(passed, 1)
		l.live += weight * (float64(l.fresh)/passed - l.live)
		l.fresh, l.since = 0, now
	}
}

// through sends packets and returns those that nobody takes now.
func (l *lane) through(packets []*packet, now time.Time) []*packet {
	for len(packets) > 0 {
		v := l.offer(packets, now)
		for _, p := range packets[:v.taken] {
			l.took(p)
		}
		packets = packets[v.taken:]
		switch {
		case v.mark:
			packets = slices.Concat(packets[0].marked(), packets[1:])
		case v.spent:
			l.lost(packets[0], v.cause)
			packets = packets[1:]
		case v.taken == 0:
			return packets
		}
	}
	return nil
}

// offer asks the first outlet that is there. One that is only full is there.
func (l *lane) offer(packets []*packet, now time.Time) (v verdict) {
	for _, o := range l.outlets {
		if v = o.offer(packets, now); v != (verdict{}) || o.fd >= 0 {
			return v
		}
	}
	return v
}

// hold puts a packet into the ring; the oldest make room.
func (l *lane) hold(p *packet) {
	l.head = p.head(l.head)
	for !l.ring.Push(l.head, p.body) {
		if l.ring.Len() == 0 {
			l.lost(p, dropRing)
			return
		}
		oldest := &l.decoded[0]
		l.records = l.ring.Peek(l.records[:0], 1)
		oldest.decode(l.records[0], l.who)
		l.lost(oldest, dropRing)
		l.ring.Drop(1)
	}
}

// replay sends what is held. To a UDP port, which cannot say that it is too
// much, no faster than twice what comes: its server has just come back, and has
// that to take as well.
func (l *lane) replay(now time.Time) {
	passed, left := now.Sub(l.ticked), math.MaxInt
	if !l.waiting() || !l.says() && passed < tick {
		return
	}
	l.ticked = now
	if !l.says() {
		left = max(replayStep, int(2*l.live*min(passed, 4*tick).Seconds()))
	}
	if l.aside = l.through(l.aside, now); len(l.aside) > 0 {
		return
	}
	for left > 0 && l.ring.Len() > 0 && len(l.aside) == 0 {
		sent := l.step(now)
		if sent == 0 {
			return
		}
		left -= sent
	}
}

// says reports whether the upstream that is there says when it takes no more.
func (l *lane) says() bool {
	for _, o := range l.outlets {
		if o.fd >= 0 {
			return o.network != "udp"
		}
	}
	return false
}

// sips reports whether something is held for an upstream that is there, and
// says when it takes no more.
func (l *lane) sips() bool { return l.waiting() && l.says() }

// step sends some of the oldest records and returns how many bytes have left
// the ring.
func (l *lane) step(now time.Time) (gone int) {
	l.records = l.ring.Peek(l.records[:0], replayed)
	l.batch = l.batch[:0]
	for i, record := range l.records {
		p := &l.decoded[i]
		p.decode(record, l.who)
		if p.empty() { // it is none: a crash has left it
			if i == 0 {
				l.ring.Drop(1)
				return len(record) + 1
			}
			break
		}
		l.batch = append(l.batch, p)
	}
	v := l.offer(l.batch, now)
	for _, p := range l.batch[:v.taken] {
		l.took(p)
		gone += len(p.body)
	}
	drop := v.taken
	if next := l.batch[v.taken:]; v.mark || v.spent {
		if v.mark {
			l.aside = next[0].marked()
		} else {
			l.lost(next[0], v.cause)
		}
		gone, drop = gone+len(next[0].body), drop+1
	}
	l.ring.Drop(drop)
	return gone
}

// due is when replay has something to do without being woken; zero: never.
func (l *lane) due() time.Time {
	if !l.waiting() {
		return time.Time{}
	}
	var soonest time.Time
	for _, o := range l.outlets {
		switch {
		case o.full:
			return time.Time{} // the kernel will say
		case o.fd >= 0:
			return l.ticked.Add(tick)
		case soonest.IsZero() || o.retry.Before(soonest):
			soonest = o.retry
		}
	}
	if next := l.ticked.Add(tick); soonest.Before(next) {
		return next
	}
	return soonest
}

func (l *lane) took(p *packet) {
	if l.counts {
		p.delivered()
	}
}

func (l *lane) lost(p *packet, cause int) {
	l.outlets[0].dropped += p.messages()
	if l.counts {
		p.lost(cause)
	}
}

// end holds what was taken out of the ring, and lets go of the upstreams.
func (l *lane) end() {
	for _, p := range l.aside {
		l.hold(p)
	}
	l.aside = nil
	for _, o := range l.outlets {
		o.close()
	}
}
