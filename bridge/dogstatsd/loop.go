package dogstatsd

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	busy      = 8                      // datagrams in a batch, from which on more are expected at once
	turn      = 64                     // reads of one socket, before others have their turn
	packTime  = 100 * time.Millisecond // that one sender's lines wait for more of them
	sip       = 500 * time.Microsecond // between two looks whether a full upstream takes more
	lastWords = 500 * time.Millisecond // for an upstream, at the end, where nobody keeps what is held
)

// batch waits for datagrams and handles all that have come by a few
// milliseconds later: waking up costs more than a datagram does. It reports
// whether more are to be expected at once: then nobody needs to wake us.
func (r *Relay) batch(hot bool) (more bool) {
	wait, limit := r.plan()
	if !hot {
		ready := r.poller.wait(limit)
		r.hear(ready)
		hot = r.readable(ready)
	}
	if hot && wait > 0 {
		r.gather(wait)
	}
	ready := r.poller.look()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.handle(ready)
}

// gather lets datagrams come for a while. What is held goes on meanwhile: a
// unix socket has room for eleven datagrams, and by the end of the while its
// reader would long have nothing to read.
func (r *Relay) gather(wait time.Duration) {
	for wait > sip && r.sip() {
		r.poller.clock.pause(sip)
		wait -= sip
	}
	r.poller.clock.pause(wait)
}

// sip gives an upstream that says when it is full as much as it takes now, and
// reports whether more is held for one.
func (r *Relay) sip() (more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.ContainsFunc(r.lanes, (*lane).sips) {
		return false
	}
	r.now = time.Now()
	for _, e := range r.poller.look() {
		if o := r.outlets[e.Fd]; o != nil {
			r.emptied(o)
		}
	}
	for _, l := range r.lanes {
		if l.sips() {
			l.replay(r.now)
			more = more || l.sips()
		}
	}
	return more
}

// emptied takes note that an upstream takes more again.
func (r *Relay) emptied(o *outlet) {
	r.await(o, false)
	o.full, o.armed = false, false
}

// plan returns for how long to let datagrams gather, and until when something
// else has to be done at the latest: less than 0 for nothing.
func (r *Relay) plan() (wait, limit time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.again {
		return 0, 0
	}
	soonest := time.Time{}
	for _, l := range r.lanes {
		soonest = earlier(soonest, l.due())
	}
	for _, s := range r.packs {
		soonest = earlier(soonest, s.due)
	}
	if len(r.awaited) > 0 {
		soonest = earlier(soonest, r.awaited[0].await.until)
	}
	if soonest.IsZero() {
		return r.pace.wait, -1
	}
	return r.pace.wait, max(0, time.Until(soonest))
}

// earlier returns the earlier of two times, where zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// hear takes note of what is not a datagram.
func (r *Relay) hear(ready []unix.EpollEvent) {
	for _, e := range ready {
		if int(e.Fd) == r.poller.event {
			r.poller.calm()
		}
	}
}

func (r *Relay) readable(ready []unix.EpollEvent) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range ready {
		if r.byFD[e.Fd] != nil {
			return true
		}
	}
	return false
}

// handle does all that there is to do now.
func (r *Relay) handle(ready []unix.EpollEvent) bool {
	r.now = time.Now()
	n, more := 0, false
	r.pace.begin(r.now)
	for _, e := range ready { // before any datagram: see follow
		if s := r.processes[e.Fd]; s != nil {
			s.ended = r.now
			r.unfollow(s)
		}
	}
	for _, e := range ready {
		if s := r.byFD[e.Fd]; s != nil {
			read := r.drain(s)
			n += read
			more = more || read == turn*batchSize
		} else if o := r.outlets[e.Fd]; o != nil {
			r.emptied(o)
		}
	}
	r.pace.end()
	r.expire(r.now)
	r.flush()
	for _, l := range r.lanes {
		l.replay(r.now)
	}
	r.again = more
	return more || n >= busy
}

// drain reads a socket until its queue is empty or others have to have a turn.
func (r *Relay) drain(s *socket) (n int) {
	filled := 0
	for range turn {
		k := r.in.read(s.fd)
		for i := range k {
			d := r.in.datagram(i)
			filled += overhead + len(d)
			by := r.datagram(r.in.source(i), d, r.in.arrival(i))
			s.mixed = s.mixed || s.only != nil && s.only != by
			s.only = by
		}
		if n += k; k < batchSize {
			break
		}
	}
	if r.now.Sub(s.counted) >= countEvery {
		s.count(r.now)
	}
	r.pace.read(filled)
	return n
}

// flush sends what has been packed and need not wait.
func (r *Relay) flush() {
	if !r.open.empty() {
		r.out = append(r.out, r.open)
		r.open = r.spare()
	}
	still := r.packs[:0]
	for _, s := range r.packs {
		switch {
		case s.pack.empty():
			s.due = time.Time{}
		case s.due.After(r.now):
			still = append(still, s)
		default:
			r.out = append(r.out, s.pack)
			s.pack, s.due = r.spare(), time.Time{}
		}
	}
	clear(r.packs[len(still):])
	r.packs = still
	r.send()
}

// send hands the packets that are complete to the upstreams.
func (r *Relay) send() {
	if len(r.out) == 0 {
		return
	}
	for _, l := range r.lanes {
		l.send(r.out, r.now)
	}
	for _, p := range r.out {
		p.reset()
		r.free = append(r.free, p)
	}
	r.out = r.out[:0]
}

// spare returns an empty packet.
func (r *Relay) spare() *packet {
	if n := len(r.free); n > 0 {
		p := r.free[n-1]
		r.free = r.free[:n-1]
		return p
	}
	return newPacket()
}

// flushAll sends what has been packed, whether it could wait or not.
func (r *Relay) flushAll() {
	for _, s := range r.packs {
		s.due = r.now
	}
	r.flush()
}

// finish reads what has come, and sends or keeps what is held.
func (r *Relay) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = time.Now()
	for _, s := range r.sockets {
		r.drain(s)
	}
	r.expire(r.now.Add(patience))
	r.flushAll()
	if r.Keep != nil {
		for _, l := range r.lanes {
			l.end()
		}
		return
	}
	for end := r.now.Add(lastWords); r.held() > 0 && r.now.Before(end); r.now = time.Now() {
		for _, l := range r.lanes {
			for _, o := range l.outlets {
				o.full = false
			}
			l.ticked = time.Time{}
			l.replay(r.now)
		}
		pause(time.Millisecond)
	}
	if n := r.held(); n > 0 {
		r.Log.Warn("datagrams are lost with the end of the process: the upstream did not take them", "count", n)
	}
}

// held is how many packets wait for an upstream.
func (r *Relay) held() (n int) {
	for _, l := range r.lanes {
		n += l.ring.Len() + len(l.aside)
	}
	return n
}
