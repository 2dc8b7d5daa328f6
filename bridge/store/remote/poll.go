package remote

import (
	"context"
	"fmt"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// Watch implements [store.Store]. Each watcher reads the hub's history at its
// own pace; one that falls behind it begins again with a Resync.
func (v *View) Watch(ctx context.Context, cluster string, from store.Rev) (<-chan store.Event, error) {
	ctx, end, err := v.Life.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("watch cluster %s: %w", cluster, err)
	}
	h := v.hub(cluster)
	looks := h.join(ctx)
	events := make(chan store.Event)
	go func() {
		defer end()
		defer close(events)
		defer h.leave()
		h.follow(ctx, from, looks, events)
	}()
	return events, nil
}

// join counts a reader in, and has the looks begin with the first. It returns
// how many of them the reader does not count as its own.
func (h *hub) join(ctx context.Context) (looks int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readers++
	if h.readers > 1 {
		return max(0, h.looks-1) // what others see is good enough, once they see anything
	}
	h.last, h.failed, h.looks = time.Time{}, false, 0
	polling, end, err := h.Life.Begin(context.WithoutCancel(ctx))
	if err != nil {
		return 0 // the reader ends with the store
	}
	polling, h.stop = context.WithCancel(polling)
	go func() {
		defer end()
		h.poll(polling)
	}()
	return 0
}

// leave counts a reader out; the looks end with the last.
func (h *hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readers--
	if h.readers == 0 && h.stop != nil {
		h.stop()
		h.stop = nil
	}
}

// poll looks until ctx ends: at all hosts from time to time, and at those of
// which a hint tells at once.
func (h *hub) poll(ctx context.Context) {
	hinting := make(chan struct{})
	go func() {
		defer close(hinting)
		h.Source.Hints(ctx, h.cluster, func(host string) {
			select {
			case h.dirty <- host:
			default: // the next look finds it
			}
		})
	}()
	pace, _ := PaceOf(20 * time.Second)
	for failures := 0; ctx.Err() == nil; {
		err := h.within(ctx, nil)
		wait := h.next()
		if failures++; err == nil {
			failures = 0
		} else {
			wait = pace.Backoff(failures)
		}
		h.hear(ctx, wait)
	}
	<-hinting
}

// within looks with a deadline.
func (h *hub) within(ctx context.Context, only []string) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return h.look(ctx, only)
}

// hear follows hints for a while.
func (h *hub) hear(ctx context.Context, during time.Duration) {
	timer := time.NewTimer(during)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case host := <-h.dirty:
			if h.within(ctx, h.more(host)) != nil {
				return
			}
		}
	}
}

// more adds the hosts of other hints that are waiting.
func (h *hub) more(host string) []string {
	only := []string{host}
	for len(only) < kept {
		select {
		case host := <-h.dirty:
			only = append(only, host)
		default:
			return only
		}
	}
	return only
}

// follow hands over one event after the other.
func (h *hub) follow(ctx context.Context, from store.Rev, looks int, events chan<- store.Event) {
	for {
		h.mu.Lock()
		var e store.Event
		if h.looks > looks {
			e, from = h.after(from)
		}
		changed := h.changed
		h.mu.Unlock()
		var out chan<- store.Event
		if e.Kind != 0 {
			out, changed = events, nil
		}
		select {
		case <-ctx.Done():
			return
		case out <- e:
		case <-changed:
		}
	}
}

// after returns the first event after from, and up to where the watcher has
// seen everything once it has taken that. Without such an event its Kind is 0.
// mu is held.
func (h *hub) after(from store.Rev) (store.Event, store.Rev) {
	floor := h.rev - store.Rev(len(h.events))
	switch {
	case from < floor || from > h.rev || from == 0:
		return store.Event{Kind: store.Resync, Rev: h.rev, Snapshot: h.snapshot()}, h.rev
	case from == h.rev:
		return store.Event{}, h.rev
	}
	e := h.events[from-floor]
	return e, e.Rev
}
