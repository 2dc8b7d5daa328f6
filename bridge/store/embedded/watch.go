package embedded

import (
	"context"
	"fmt"

	"github.com/berth-dev/berth/bridge/store"
)

// Watch implements [store.Store]. Each watcher reads the common history at its
// own pace; one that falls behind it begins again with a Resync.
func (s *Store) Watch(ctx context.Context, cluster string, from store.Rev) (<-chan store.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("watch cluster %s: %w", cluster, store.ErrClosed)
	}
	events := make(chan store.Event)
	s.work.Go(func() {
		defer close(events)
		s.follow(ctx, cluster, from, events)
	})
	return events, nil
}

// follow hands over one event after the other.
func (s *Store) follow(ctx context.Context, cluster string, from store.Rev, events chan<- store.Event) {
	for {
		s.mu.Lock()
		e, seen := s.after(cluster, from)
		changed := s.changed
		s.mu.Unlock()
		from = seen
		var out chan<- store.Event
		if e.Kind != 0 {
			out, changed = events, nil
		}
		select {
		case <-ctx.Done():
			return
		case <-s.done:
			return
		case out <- e:
		case <-changed:
		}
	}
}

// after returns the first event of a cluster after from, and up to where the
// watcher has seen everything once it has taken that. Without such an event its
// Kind is 0. mu is held.
func (s *Store) after(cluster string, from store.Rev) (store.Event, store.Rev) {
	h := &s.history
	if from < h.floor() || from > h.rev || from == 0 {
		return store.Event{Kind: store.Resync, Rev: h.rev, Snapshot: s.snapshot(cluster)}, h.rev
	}
	for _, e := range h.since(from) {
		if e.Entry.Key.Cluster == cluster {
			return e, e.Rev
		}
	}
	return store.Event{}, h.rev
}
