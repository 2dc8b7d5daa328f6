package dogstatsd

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
	"github.com/berth-dev/berth/collectors/inventory"
)

// mostGone is how many containers that exist no more keep counters of their
// own; those of the others are summed up.
const mostGone = 512

// Origins replaces what the relay knows of the containers on this host. The
// slice is the relay's from then on.
func (r *Relay) Origins(all []Origin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	addresses := 0
	for _, o := range all {
		addresses += len(o.Addresses)
	}
	next := newTable(addresses)
	present := make(map[key]bool, len(all))
	for _, o := range all {
		k := containerKey(o.ID)
		present[k] = true
		s := r.senders[k]
		if s == nil {
			s = &sender{known: true, process: -1}
			r.senders[k] = s
		}
		if s.origin.ID == "" || !s.origin.Started.Equal(o.Started) || s.origin.PID != o.PID {
			s.ended = time.Time{} // another run
			s.since = since(o.Started)
			r.unfollow(s)
		}
		s.origin = o
		r.follow(s)
		r.equip(s)
		for _, a := range o.Addresses {
			next.set(a, s)
		}
	}
	for k, s := range r.senders {
		if s.known && !present[k] && s.ended.IsZero() {
			s.ended = now
			r.unfollow(s)
		}
	}
	r.quarantine(next)
	r.table = next
	r.named()
	r.forget()
	r.signal()
}

// since is from when on datagrams can be those of a container that began then.
func since(started time.Time) int64 {
	if started.IsZero() {
		return 0
	}
	return started.Add(-margin).UnixNano()
}

// follow waits for the end of a container's process. It takes part in the same
// wait as the sockets: whoever is next at that address cannot be heard before.
func (r *Relay) follow(s *sender) {
	if s.process >= 0 || s.origin.Process == nil {
		return
	}
	fd, err := unix.FcntlInt(s.origin.Process.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return // Ended tells it too, only later
	}
	if r.poller.add(fd, unix.EPOLLIN) != nil {
		_ = unix.Close(fd)
		return
	}
	s.process = fd
	r.processes[int32(fd)] = s
}

func (r *Relay) unfollow(s *sender) {
	if s.process < 0 {
		return
	}
	r.poller.remove(s.process)
	delete(r.processes, int32(s.process))
	_ = unix.Close(s.process)
	s.process = -1
}

// quarantine keeps the addresses of those who have ended, for the last who had
// them: who has one next is not known before Docker says it.
func (r *Relay) quarantine(next *table) {
	for _, s := range r.senders {
		if !s.known || s.ended.IsZero() || time.Since(s.ended) > time.Minute {
			continue
		}
		for _, a := range s.origin.Addresses {
			if has := next.get(a); has == nil || !has.ended.IsZero() && has.ended.Before(s.ended) {
				next.set(a, s)
			}
		}
	}
}

// Ended says that a container's process has ended, at that time: its address
// belongs to nobody until Origins names somebody. News of an earlier run than
// the present one is none.
func (r *Relay) Ended(id inventory.ID, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.senders[containerKey(id)]
	if s == nil || !s.ended.IsZero() || s.origin.Started.After(at) {
		return
	}
	s.ended = at
	r.unfollow(s)
}

// equip gives a sender what the settings say of it.
func (r *Relay) equip(s *sender) {
	s.mark, s.field = line.Mark{}, line.Mark{}
	if r.settings.Override {
		s.mark = line.Strip()
	}
	s.limit.blocked = nil
	for _, service := range []string{"*", s.origin.Service} {
		for _, beginning := range r.settings.Block[service] {
			if !slices.ContainsFunc(s.limit.blocked, func(b []byte) bool { return string(b) == beginning }) {
				s.limit.blocked = append(s.limit.blocked, []byte(beginning))
			}
		}
	}
	if !s.known {
		s.mark = line.Mark{} // whoever it is may say so
		return
	}
	s.field = line.Field("ci-"+string(s.origin.ID), r.settings.Override)
	switch r.mode {
	case Field:
		s.mark = s.field
	case Inode:
		if s.mark = s.field; s.origin.Inode != 0 {
			s.mark = line.Field("in-"+strconv.FormatUint(s.origin.Inode, 10), r.settings.Override)
		}
	case Tags:
		s.mark = line.Tags(s.origin.Tags, r.settings.Override)
	}
}

// forget sums up the counters of containers that have long been gone.
func (r *Relay) forget() {
	var gone []*sender
	for _, s := range r.senders {
		if s.known && !s.ended.IsZero() && s.count().Held == 0 && (s.pack == nil || s.pack.empty()) {
			gone = append(gone, s)
		}
	}
	if len(gone) <= mostGone {
		return
	}
	slices.SortFunc(gone, func(a, b *sender) int { return a.ended.Compare(b.ended) })
	for _, s := range gone[:len(gone)-mostGone] {
		if time.Since(s.ended) < time.Minute { // still in quarantine
			break
		}
		r.drop(s.key(), s)
	}
}

// who finds a sender by its name in a ring, which an earlier process may have
// written.
func (r *Relay) who(k key) *sender {
	if s := r.senders[k]; s != nil {
		return s
	}
	if k[0] == ofAddress {
		return r.stranger(netip.AddrFrom16([16]byte(k[1:17])).Unmap())
	}
	s := &sender{known: true, ended: time.Now(), process: -1}
	s.origin.ID = idOf(k)
	r.equip(s)
	r.senders[k] = s
	return s
}

func idOf(k key) inventory.ID {
	const digits = "0123456789abcdef"
	id := make([]byte, 0, inventory.IDLen)
	for _, b := range k[1:] {
		id = append(id, digits[b>>4], digits[b&15])
	}
	return inventory.ID(id)
}
