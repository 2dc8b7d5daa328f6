package remote

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// Limits of how often a source is asked.
const (
	longestWait = 5 * time.Second
	leastWait   = 50 * time.Millisecond
	perTTL      = 8 // looks within the shortest TTL
	lookTime    = 10 * time.Second
)

// kept is how many events a watcher can fall behind before it is given the
// whole state instead, which is then the shorter way.
const kept = 256

// A View lists and watches a source. It looks again and again while there is a
// watcher, and counts revisions of its own, which begin where the clock stands
// so that those of an earlier process are behind.
type View struct {
	Source Source
	Life   *Life

	mu   sync.Mutex // guards the field below
	hubs map[string]*hub
}

// A hub is what a view knows of one cluster.
type hub struct {
	*View
	cluster string
	dirty   chan string // hosts that a hint was about

	looking sync.Mutex // one look at a time; taken before mu

	mu      sync.Mutex // guards the fields below
	hosts   map[string]*seen
	rev     store.Rev
	events  []store.Event // the newest, one for each revision
	changed chan struct{} // closed and replaced after each look
	readers int
	stop    context.CancelFunc // ends the looks
	looks   int                // that have succeeded for the present readers
	last    time.Time          // when one did; zero: not for these readers
	failed  bool               // one has failed since
}

// hub returns that of a cluster.
func (v *View) hub(cluster string) *hub {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.hubs[cluster]
	if h == nil {
		h = &hub{
			View: v, cluster: cluster, hosts: map[string]*seen{}, rev: store.Rev(time.Now().UnixMicro()),
			changed: make(chan struct{}), dirty: make(chan string, kept),
		}
		if v.hubs == nil {
			v.hubs = map[string]*hub{}
		}
		v.hubs[cluster] = h
	}
	return h
}

// List implements [store.Store].
func (v *View) List(ctx context.Context, cluster string) (store.Snapshot, error) {
	h := v.hub(cluster)
	err := cmp.Or(v.Life.Err(), ctx.Err())
	if err == nil {
		err = h.look(ctx, nil)
	}
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("list records of cluster %s: %w", cluster, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.snapshot(), nil
}

// snapshot is what readers know. mu is held.
func (h *hub) snapshot() store.Snapshot {
	shot := store.Snapshot{Rev: h.rev}
	for host, s := range h.hosts {
		switch {
		case s.shown:
			shot.Entries = append(shot.Entries, h.entry(host, s))
		case s.unknown && time.Until(s.deadline) > 0:
			shot.Skipped++
		}
	}
	slices.SortFunc(shot.Entries, func(a, b store.Entry) int { return cmp.Compare(a.Key.Host, b.Key.Host) })
	return shot
}

func (h *hub) entry(host string, s *seen) store.Entry {
	return store.Entry{
		Key: store.Key{Cluster: h.cluster, Host: host}, Rev: s.rev, Record: s.record,
		Expires: time.Now().Add(max(0, time.Until(s.deadline))),
	}
}

// look asks the source and tells the readers what is new.
func (h *hub) look(ctx context.Context, only []string) error {
	h.looking.Lock()
	defer h.looking.Unlock()
	sights, err := h.Source.Look(ctx, h.cluster, only, h.version)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.failed = true
		return err
	}
	now := time.Now()
	gap := h.gap(now)
	for _, s := range sights {
		h.see(s, now, gap)
	}
	if only == nil {
		h.expire(now)
		h.last, h.failed = now, false
		h.looks++
	}
	close(h.changed)
	h.changed = make(chan struct{})
	return nil
}

// version is that of the record which is known of a host.
func (h *hub) version(host string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.hosts[host]; s != nil {
		return s.version
	}
	return ""
}

// unwatched is the gap before a look that does not follow another: it can say
// nothing of what happened in between.
const unwatched time.Duration = -1

// gap is for how long nobody has looked. P2: where that was because nobody
// could, nobody's time has passed either, and the deadlines are moved. mu is
// held.
func (h *hub) gap(now time.Time) time.Duration {
	if h.readers == 0 || h.last.IsZero() {
		return unwatched
	}
	gap := now.Sub(h.last)
	if h.failed || gap > 3*h.wait() {
		for _, s := range h.hosts {
			s.deadline = s.deadline.Add(gap)
		}
		h.last, h.failed = now, false
	}
	return gap
}

// see takes in what was found of one host. A record that was renewed since the
// last look has lived since then at least, whatever the clocks say. mu is held.
func (h *hub) see(s Sight, now time.Time, gap time.Duration) {
	was := h.hosts[s.Host]
	if was == nil {
		if s.Withdrawn {
			return
		}
		was = &seen{}
		h.hosts[s.Host] = was
	}
	if s.Withdrawn {
		h.gone(s.Host, was, store.Withdrawn)
		delete(h.hosts, s.Host)
		return
	}
	left := min(s.Left, s.TTL)
	switch {
	case gap == unwatched:
		was.deadline = now.Add(left)
	case s.Renewed != was.renewed:
		was.deadline = now.Add(max(left, s.TTL-gap))
	}
	was.renewed, was.ttl = s.Renewed, s.TTL
	lives := was.deadline.After(now)
	switch {
	case s.Unknown:
		h.gone(s.Host, was, store.Withdrawn)
		was.unknown, was.version = true, s.Version
	case s.Record != nil && s.Version != was.version:
		was.record, was.version, was.unknown = *s.Record, s.Version, false
		if lives {
			h.put(s.Host, was)
		}
	case lives && !was.shown && !was.unknown && was.version != "":
		h.put(s.Host, was)
	}
}

// expire ends the records whose time is up. mu is held.
func (h *hub) expire(now time.Time) {
	for host, s := range h.hosts {
		if s.deadline.After(now) {
			continue
		}
		h.gone(host, s, store.Expired)
		if now.Sub(s.deadline) > time.Hour {
			delete(h.hosts, host)
		}
	}
}

// put tells that a record is new or another. mu is held.
func (h *hub) put(host string, s *seen) {
	s.shown, s.rev = true, h.rev+1
	h.tell(store.Event{Kind: store.Put, Rev: h.rev + 1, Entry: h.entry(host, s)})
}

// gone tells that a record has gone, to who knew it. mu is held.
func (h *hub) gone(host string, s *seen, cause store.Cause) {
	if !s.shown {
		return
	}
	s.shown = false
	h.tell(store.Event{Kind: store.Gone, Rev: h.rev + 1, Entry: h.entry(host, s), Cause: cause})
}

func (h *hub) tell(e store.Event) {
	h.rev = e.Rev
	if len(h.events) == kept {
		h.events = append(h.events[:0], h.events[kept/2:]...)
	}
	h.events = append(h.events, e)
}

// wait is how long to wait for the next look: there are some within each TTL.
// mu is held.
func (h *hub) wait() time.Duration {
	wait := longestWait
	for _, s := range h.hosts {
		if s.ttl > 0 {
			wait = min(wait, s.ttl/perTTL)
		}
	}
	return max(wait, leastWait)
}

// next is when to look again: after wait, or when the first record ends.
func (h *hub) next() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	wait := h.wait()
	for _, s := range h.hosts {
		if s.shown {
			wait = min(wait, time.Until(s.deadline))
		}
	}
	return max(wait, leastWait)
}
