package dogstatsd

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/dogstatsd/ring"
)

// defaultHold is how much is held while upstreams are away, in bytes.
const defaultHold = 32 << 20

// Set puts new settings in force. What is held for an upstream that stays is
// kept.
func (r *Relay) Set(s Settings) error {
	lanes, err := parseLanes(s) // may wait for a name server
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = time.Now()
	r.flushAll()
	if err := r.exchange(lanes, int(cmp.Or(s.Hold, defaultHold))/len(lanes)); err != nil {
		return err
	}
	r.settings = s
	r.mode, r.why = choose(s.Mode, r.lanes[0].outlets[0])
	r.size = r.lanes[0].outlets[0].size()
	for _, sender := range r.senders {
		r.equip(sender)
	}
	r.equip(r.others)
	r.signal()
	return nil
}

// parseLanes makes a lane of each upstream.
func parseLanes(s Settings) (lanes []*lane, err error) {
	if len(s.Upstreams) == 0 {
		return nil, errors.New("relay has no upstream")
	}
	for i, text := range s.Upstreams {
		o, err := parseOutlet(text)
		if err != nil {
			return nil, err
		}
		lanes = append(lanes, &lane{outlets: []*outlet{o}, counts: i == 0})
	}
	if s.Fallback != "" {
		o, err := parseOutlet(s.Fallback)
		if err != nil {
			return nil, err
		}
		lanes[0].outlets = append(lanes[0].outlets, o)
	}
	return lanes, nil
}

// choose says which mode it will be, and why.
func choose(m Mode, o *outlet) (Mode, string) {
	switch {
	case m != Auto && m != Cred:
		return m, ""
	case o.cred:
		return Cred, ""
	case o.network != "unixgram":
		return Field, "credentials can be sent to a unixgram upstream only"
	default:
		return Field, "credentials of others may be sent with CAP_SYS_ADMIN only"
	}
}

// exchange puts new lanes in the place of the old. An outlet or ring that stays
// is the one that was.
func (r *Relay) exchange(next []*lane, size int) error {
	old := slices.Clone(r.lanes)
	for i, l := range next {
		l.who = r.who
		for _, o := range l.outlets {
			o.wake, o.lookup = r.await, r.ask
		}
		had := slices.IndexFunc(old, func(l *lane) bool { return l != nil && l.outlets[0].url == next[i].outlets[0].url })
		if had < 0 && i == 0 && len(old) > 0 {
			had = 0 // what the first holds has nobody else
		}
		var from *ring.Ring
		if had >= 0 {
			from = old[had].ring
			for _, p := range old[had].aside {
				old[had].hold(p)
			}
			l.inherit(old[had])
			old[had] = nil
		}
		var err error
		if l.ring, err = r.ring(i, size, from); err != nil {
			return err
		}
	}
	for _, l := range old {
		if l == nil {
			continue
		}
		l.end()
		_ = l.ring.Close()
	}
	r.lanes = next
	return nil
}

// inherit takes over the connections that stay, and closes the others.
func (l *lane) inherit(from *lane) {
	l.live, l.since, l.ticked = from.live, from.since, from.ticked
	for _, o := range from.outlets {
		if at := slices.IndexFunc(l.outlets, func(p *outlet) bool { return p.url == o.url }); at >= 0 {
			l.outlets[at] = o
		} else {
			o.close()
		}
	}
}

// ring returns a lane's ring of that size: the one it has, one that was handed,
// or a new one into which the records of the others go.
func (r *Relay) ring(number, size int, from *ring.Ring) (*ring.Ring, error) {
	name := fmt.Sprint(ringName, number)
	if from == nil {
		from = r.handedRing(name)
	}
	if from != nil && from.Size() >= size && from.Size() < size+1<<16 {
		return from, nil
	}
	next, err := ring.New(size)
	if err != nil {
		return nil, err
	}
	if from != nil {
		for from.Len() > 0 {
			if !next.Push(from.Peek(nil, 1)[0]) {
				break
			}
			from.Drop(1)
		}
		r.spill(from)
		_ = from.Close()
	}
	if r.Keep != nil {
		r.Unkeep(name)
		r.Keep(name, int(next.File().Fd()))
	}
	return next, nil
}

// spill counts what a smaller ring had no room for.
func (r *Relay) spill(from *ring.Ring) {
	var p packet
	for from.Len() > 0 {
		p.decode(from.Peek(nil, 1)[0], r.who)
		p.lost(dropRing)
		from.Drop(1)
	}
}

// handedRing adopts a ring of an earlier process. Its messages count as if they
// had come to this one.
func (r *Relay) handedRing(name string) *ring.Ring {
	file := r.Handed[name]
	if file == nil {
		return nil
	}
	delete(r.Handed, name)
	adopted, err := ring.Adopt(file)
	if err != nil {
		r.Log.Warn("adopt ring", "name", name, "err", err)
		return nil
	}
	var p packet
	for _, record := range adopted.Peek(nil, adopted.Len()) {
		p.decode(record, r.who)
		for _, of := range p.parts {
			of.sender.messages += uint64(of.messages)
		}
	}
	return adopted
}

// await has the poller tell when an upstream takes more, or no longer.
func (r *Relay) await(o *outlet, full bool) {
	if !full {
		r.poller.remove(o.fd)
		delete(r.outlets, int32(o.fd))
		return
	}
	if r.poller.add(o.fd, unix.EPOLLOUT) == nil {
		r.outlets[int32(o.fd)] = o
	}
}

// ask looks for the address of an upstream's host.
func (r *Relay) ask(o *outlet) {
	if o.asking {
		return
	}
	o.asking = true
	r.resolve.Go(func() {
		remote, local, err := resolve(o.host)
		r.mu.Lock()
		defer r.mu.Unlock()
		o.asking = false
		if err != nil {
			o.fault = err.Error()
			return
		}
		o.remote, o.local = remote, local
	})
}
