package docker

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A session is one connection to the Engine, from the subscription to the
// first failure. All of it happens in one goroutine, the loop, but for the
// event reader and the inspects, which hand over their results.
type session struct {
	*Watcher
	*picture
	client    *Client
	inspector *inspector
	stream    *stream
	heard     *Heard
	since     time.Time // from when on events are asked for
	synced    bool      // this session has seen a complete listing
	alive     time.Time // when the Engine last proved that it is
	refresh   *time.Timer
	armed     bool                  // refresh is running
	ended     time.Time             // when the last listing after a hint did
	rested    time.Time             // before this moment the Engine is left in peace
	doubtful  map[inventory.ID]bool // containers that the next list is to show
	doubtAll  bool                  // it is to show all of them
	asked     map[inventory.ID]bool // those that the newest list was about; nil: all
}

// run returns why the session ended. It never returns nil.
func (s *session) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer s.inspector.work.Wait()
	defer cancel()
	if s.stream, err = s.client.subscribe(ctx, s.since); err != nil {
		return err
	}
	defer s.stream.close()
	s.refresh = time.NewTimer(time.Hour)
	defer s.refresh.Stop()
	s.refresh.Stop()
	if err := s.resync(ctx, firstPatience); err != nil {
		return err
	}
	return s.loop(ctx)
}

// loop waits for whatever comes first.
func (s *session) loop(ctx context.Context) error {
	silence := cmp.Or(s.Probe, defaultProbe)
	probe, resync := time.NewTimer(silence), time.NewTimer(s.resyncIn())
	defer probe.Stop()
	defer resync.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.stream.ready:
			s.hear()
		case <-s.stream.ended:
			s.hear()
			return s.stream.err
		case <-s.hurry():
			s.hasten()
		case <-s.inspector.ready:
			if s.collect() {
				s.Inventory.Replace(s.snapshot())
			}
		case <-s.refresh.C:
			s.armed = false
			err = s.relist(ctx)
		case <-resync.C:
			err = s.resync(ctx, patience)
			resync.Reset(s.resyncIn())
		case <-probe.C:
			if time.Since(s.alive) >= silence {
				err = s.client.ping(ctx)
				s.alive = time.Now()
			}
			probe.Reset(silence - time.Since(s.alive))
		}
		if err != nil {
			return err
		}
	}
}

// hear takes what the event stream has brought: the observer is told, the
// containers are marked, and a listing is due.
func (s *session) hear() {
	hints, lost := s.stream.take()
	if len(hints) == 0 && !lost {
		return
	}
	s.alive = time.Now()
	for _, h := range hints {
		told := h.event.Kind != ""
		if told && !s.heard.add(h.event) {
			continue
		}
		s.stale(h.container)
		s.doubt(h.container)
		if !told {
			continue
		}
		s.note(func(status *Status) { status.LastEvent = h.event.At })
		if s.Observer != nil {
			s.Observer.Event(h.event)
		}
	}
	if lost {
		s.allStale()
		s.doubtAll = true
	}
	if s.doubtAll || len(s.doubtful) > 0 {
		s.arm()
	}
}

// doubt notes that the next list is to show a container. A hint may be about
// none, such as that of a network that was made.
func (s *session) doubt(id inventory.ID) {
	if id == "" {
		return
	}
	if s.doubtful == nil {
		s.doubtful = map[inventory.ID]bool{}
	}
	s.doubtful[id] = true
}

// arm makes a listing due: soon when it has been quiet, and in a storm not
// before the Engine has rested from the last one.
func (s *session) arm() {
	if !s.armed {
		s.armed = true
		s.refresh.Reset(max(settle, time.Until(s.rested)))
	}
}

// hasten cuts a listing's wait short, but for the least rest.
func (s *session) hasten() {
	if soon := s.ended.Add(hastyRest); s.armed && soon.Before(s.rested) {
		s.rested = soon
		s.refresh.Reset(max(0, time.Until(soon)))
	}
}

// rest gives the Engine a pause after a listing that was begun at that time:
// a storm of events then never takes more than a fixed share of it, however
// many containers it has to list.
func (s *session) rest(began time.Time) {
	now := time.Now()
	s.ended = now
	s.rested = now.Add(min(restPerListing*now.Sub(began), longestRest))
}

// resync replaces all that is known of the Engine and its containers.
func (s *session) resync(ctx context.Context, wait time.Duration) error {
	listing, err := s.client.List(ctx)
	if err != nil {
		return err
	}
	s.engine = listing.Engine
	s.doubtful, s.doubtAll, s.asked = nil, false, nil
	s.allStale()
	s.list(listing.Taken, listing.Containers)
	s.gather(ctx, wait)
	s.synced = true
	s.goSighted(s.picture)
	s.tell()
	return nil
}

// relist asks after a hint, for the containers that are in doubt or, when that
// is many, for all.
func (s *session) relist(ctx context.Context) error {
	taken, doubtful, all := time.Now(), s.doubtful, s.doubtAll
	s.doubtful, s.doubtAll = nil, false
	if all || len(doubtful) > listOneByOne {
		doubtful = nil
	}
	listed, err := s.client.containers(ctx, slices.Collect(maps.Keys(doubtful))...)
	if err != nil {
		return err
	}
	s.rest(taken)
	if s.asked = doubtful; doubtful != nil {
		listed = s.merged(doubtful, listed)
	}
	s.list(taken, listed)
	s.gather(ctx, patience)
	s.tell()
	return nil
}

// gather asks for missing details and gives them a moment to arrive.
func (s *session) gather(ctx context.Context, wait time.Duration) {
	s.alive = time.Now()
	s.wanting(func(id inventory.ID, version uint64) { s.inspector.ask(ctx, id, version) })
	limit := time.NewTimer(wait)
	defer limit.Stop()
	for s.missing() {
		select {
		case <-s.inspector.ready:
			s.collect()
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// collect puts the results of inspects into the picture, and reports whether
// it has changed. One that contradicts the list makes a new listing due.
func (s *session) collect() (changed bool) {
	for _, r := range s.inspector.take() {
		if r.err != nil && !isNotFound(r.err) && !errors.Is(r.err, context.Canceled) {
			s.Log.Debug("inspect container", "container", r.id.Short(), "err", r.err)
		}
		news, contradicts := s.add(r)
		changed = changed || news
		if contradicts {
			s.doubt(r.id)
			s.arm()
		}
	}
	return changed
}

// tell hands a new listing to the observer and the inventory.
func (s *session) tell() {
	s.hear() // what came meanwhile goes first
	s.note(func(status *Status) { status.LastList = s.taken })
	now := s.snapshot()
	if s.Observer != nil {
		s.Observer.Listed(inventory.Listing{Taken: now.At, Engine: now.Engine, Containers: now.Containers, Asked: s.asked})
	}
	s.Inventory.Replace(now)
}
