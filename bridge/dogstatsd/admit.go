package dogstatsd

import (
	"bytes"
	"net/netip"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
)

// datagram handles one, and returns whose it is taken to be. It arrived at that
// time.
func (r *Relay) datagram(from source, d []byte, arrived int64) *sender {
	s := r.table.find(from)
	if s == nil || !s.ended.IsZero() || arrived < s.since {
		return r.unnamed(from.addr(), s, d, arrived)
	}
	r.admit(s, d)
	return s
}

// unnamed handles a datagram from an address that nobody has, or whose last
// owner has ended, or began later.
func (r *Relay) unnamed(a netip.Addr, last *sender, d []byte, arrived int64) *sender {
	s := r.stranger(a)
	if last != nil {
		if had := r.owner(a, arrived); had != nil {
			r.admit(had, d)
			return had
		}
	}
	hopeless := r.now.Sub(s.heard) < strangerIn && !s.vain.IsZero() && (last == nil || last.ended.Before(s.vain))
	s.heard = r.now
	if s == r.others || r.local[a] || hopeless || !r.awaitName(s, d, arrived) {
		r.admit(s, d)
	}
	return s
}

// admit takes a datagram in, as far as its sender's limits go.
func (r *Relay) admit(s *sender, d []byte) {
	s.datagrams++
	s.bytes += uint64(len(d))
	s.heard = r.now
	if len(r.taps) > 0 {
		r.tapDatagram(s, d)
	}
	if rate := r.settings.Rate; rate > 0 {
		if n := lines(d); !s.limit.take(n, rate, r.now) {
			s.messages += uint64(n)
			s.dropped[dropRate] += uint64(n)
			return
		}
	}
	limited := r.settings.Contexts > 0 || len(s.limit.blocked) > 0
	for rest := d; ; {
		var ln []byte
		var more bool
		if ln, rest, more = line.Next(rest); !more {
			return
		}
		s.messages++
		if limited && !r.passes(s, ln) {
			continue
		}
		r.put(s, ln)
	}
}

// lines counts those that are not empty.
func lines(d []byte) (n int) {
	for rest := d; ; n++ {
		var more bool
		if _, rest, more = line.Next(rest); !more {
			return n
		}
	}
}

func (r *Relay) passes(s *sender, ln []byte) bool {
	switch {
	case s.limit.blocks(ln):
		s.dropped[dropBlocked]++
	case r.settings.Contexts > 0 && !s.limit.context(ln, r.settings.Contexts, r.now):
		s.dropped[dropCardinality]++
	default:
		return true
	}
	return false
}

// put packs a line: with those of everybody, or, where the packet as a whole
// says whose it is, with those of its sender.
func (r *Relay) put(s *sender, ln []byte) {
	m := &s.mark
	bare := r.mode == Cred && s.creditable()
	if r.mode == Cred && s.known && !bare {
		m = &s.field
	}
	need := m.Max(ln)
	if need > mostUDP {
		m, need = &line.Mark{}, len(ln)+1
	}
	if len(r.taps) > 0 {
		r.tapLine(s, m, ln)
	}
	if !bare {
		if !r.open.empty() && len(r.open.body)+need > r.size {
			r.complete(r.open)
			r.open = r.spare()
		}
		r.open.add(s, m, ln)
		return
	}
	if s.pack == nil {
		s.pack = r.spare()
	}
	if !s.pack.empty() && len(s.pack.body)+need > r.size {
		r.complete(s.pack)
		s.pack = r.spare()
	}
	if s.pack.empty() {
		s.pack.bare = s
		if s.due.IsZero() {
			r.packs = append(r.packs, s)
		}
		s.due = r.now.Add(packTime)
	}
	s.pack.add(s, m, ln)
	if bytes.Contains(ln, []byte("|T")) {
		s.due = r.now // it says when it was: that is not to be old
	}
}

// complete adds a packet to those that go out, and sends them when they are
// many.
func (r *Relay) complete(p *packet) {
	if r.out = append(r.out, p); len(r.out) >= outBatch {
		r.send()
	}
}
