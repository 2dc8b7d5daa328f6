package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

func watching(b *bench) {
	s := b.open()
	h1, h2 := b.session(s, "h1"), b.session(s, "h2")
	b.publish(h1, record("h1", "A", 1, 1))
	events := b.watch(s, 0)
	e := b.next(events, store.Resync)
	if len(e.Snapshot.Entries) != 1 || e.Rev != e.Snapshot.Rev {
		b.Errorf("got %+v, want h1", e)
	}
	last := e.Rev
	for _, step := range []struct {
		session store.Session
		record  store.Record
	}{{h2, record("h2", "A", 1, 2)}, {h1, record("h1", "A", 2, 3)}} {
		b.publish(step.session, step.record)
		e := b.next(events, store.Put)
		b.same(step.record, e.Entry.Record)
		if e.Rev <= last || e.Entry.Rev != e.Rev || e.Entry.Key != step.record.Key() {
			b.Errorf("got %+v after revision %d", e, last)
		}
		last = e.Rev
	}
}

func resuming(b *bench) {
	s := b.open()
	session := b.session(s, "h1")
	b.publish(session, record("h1", "A", 1, 1))
	ctx, cancel := context.WithCancel(b.Context())
	events, err := s.Watch(ctx, cluster, 0)
	b.must(err)
	from := b.next(events, store.Resync).Rev
	cancel()
	b.publish(session, record("h1", "A", 2, 2))
	b.publish(session, record("h1", "A", 3, 3))

	// What was missed comes either event by event or as a whole.
	events = b.watch(s, from)
	view := map[string]store.Record{"h1": record("h1", "A", 1, 1)}
	b.until(events, view, func() bool { return view["h1"].Seq == 3 })
	b.quiet(events, b.engine.TTL/4)

	// A reader that knows everything is told nothing until there is news.
	now := b.list(s).Rev
	events = b.watch(s, now)
	b.quiet(events, b.engine.TTL/4)
	b.publish(session, record("h1", "A", 4, 4))
	b.same(uint64(4), b.next(events, store.Put).Entry.Record.Seq)

	// A point that this store has not reached is another store's.
	b.next(b.watch(s, now+1<<40), store.Resync)
}

// until follows events, keeps view true, and returns once holds is true.
func (b *bench) until(events <-chan store.Event, view map[string]store.Record, holds func() bool) {
	b.Helper()
	deadline := time.After(b.patient())
	for !holds() {
		select {
		case e, ok := <-events:
			if !ok {
				b.Fatal("the watch has ended")
			}
			apply(view, e)
		case <-deadline:
			b.Fatalf("waited in vain; the reader sees %+v", view)
		}
	}
}

// apply is what a reader does with an event.
func apply(view map[string]store.Record, e store.Event) {
	switch e.Kind {
	case store.Put:
		view[e.Entry.Key.Host] = e.Entry.Record
	case store.Gone:
		delete(view, e.Entry.Key.Host)
	case store.Resync:
		clear(view)
		for _, entry := range e.Snapshot.Entries {
			view[entry.Key.Host] = entry.Record
		}
	}
}

// I5: no reader delays a writer.
func slow(b *bench) {
	s := b.open()
	events := b.watch(s, 0)
	h1, h2 := b.session(s, "h1"), b.session(s, "h2")
	rounds := uint64(1000)
	if b.engine.Dear {
		rounds = 100
	}
	b.during(func(ctx context.Context) {
		for seq := uint64(1); seq <= rounds; seq++ {
			if err := errors.Join(h1.Publish(ctx, record("h1", "A", seq, 1)), h2.Publish(ctx, record("h2", "A", seq, 2))); err != nil {
				b.Error(err)
				return
			}
		}
		if err := h2.Withdraw(ctx); err != nil {
			b.Error(err)
		}
	})
	view := map[string]store.Record{}
	b.until(events, view, func() bool { return len(view) == 1 && view["h1"].Seq == rounds })
}

func cancelled(b *bench) {
	s := b.open()
	ctx, cancel := context.WithCancel(b.Context())
	events, err := s.Watch(ctx, cluster, 0)
	b.must(err)
	idle, err := s.Watch(ctx, cluster, 0)
	b.must(err)
	b.next(idle, store.Resync)
	cancel()
	b.ends(events)
	b.ends(idle)
}

// ends waits until a watch has ended; what was under way may still come.
func (b *bench) ends(events <-chan store.Event) {
	b.Helper()
	deadline := time.After(b.patient())
	for {
		select {
		case _, ok := <-events:
			if !ok {
				return
			}
		case <-deadline:
			b.Fatal("the watch has not ended")
		}
	}
}

func closed(b *bench) {
	s := b.open()
	session := b.session(s, "h1")
	b.publish(session, record("h1", "A", 1, 1))
	idle, unread := b.watch(s, 0), b.watch(s, 0)
	b.next(idle, store.Resync)
	b.must(s.Close())
	b.must(s.Close())
	b.ends(idle)
	b.ends(unread)
	_, opened := s.Open(b.Context(), store.Key{Cluster: cluster, Host: "h1"}, b.engine.TTL)
	_, listed := s.List(b.Context(), cluster)
	_, watched := s.Watch(b.Context(), cluster, 0)
	for name, err := range map[string]error{
		"Open": opened, "List": listed, "Watch": watched,
		"Publish": session.Publish(b.Context(), record("h1", "A", 2, 1)), "Withdraw": session.Withdraw(b.Context()),
	} {
		if !errors.Is(err, store.ErrClosed) {
			b.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
}

func cancelledCalls(b *bench) {
	s := b.open()
	session := b.session(s, "h1")
	b.publish(session, record("h1", "A", 1, 1))
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	_, opened := s.Open(ctx, store.Key{Cluster: cluster, Host: "h1"}, b.engine.TTL)
	_, listed := s.List(ctx, cluster)
	for name, err := range map[string]error{
		"Open": opened, "List": listed,
		"Publish": session.Publish(ctx, record("h1", "A", 2, 2)), "Withdraw": session.Withdraw(ctx),
	} {
		if !errors.Is(err, context.Canceled) {
			b.Errorf("%s: got %v, want context.Canceled", name, err)
		}
	}
	b.same(record("h1", "A", 1, 1), b.only(s))
}

func concurrent(b *bench) {
	const hosts, rounds = 8, 50
	s := b.open()
	views := make([]map[string]store.Record, 3)
	var all sync.WaitGroup
	for i := range views {
		views[i] = map[string]store.Record{}
		events := b.watch(s, 0)
		all.Go(func() {
			for e := range events {
				apply(views[i], e)
				if complete(views[i], hosts, rounds) {
					return
				}
			}
		})
	}
	for i := range hosts {
		host := fmt.Sprintf("h%d", i)
		session := b.session(s, host)
		all.Go(func() {
			for seq := uint64(1); seq <= rounds; seq++ {
				if err := session.Publish(b.Context(), record(host, "A", seq, uint16(seq))); err != nil {
					b.Error(err)
					return
				}
				if _, err := s.List(b.Context(), cluster); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	b.during(func(context.Context) { all.Wait() })
}

// complete reports whether a view holds every host's last record.
func complete(view map[string]store.Record, hosts int, rounds uint64) bool {
	for _, r := range view {
		if r.Seq != rounds {
			return false
		}
	}
	return len(view) == hosts
}
