package storetest

import (
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// P1: a record expires unless renewed.
func expiry(b *bench) {
	s := b.open()
	session := b.session(s, "h1")
	b.publish(session, record("h1", "A", 1, 1))
	b.publish(b.session(s, "h2"), record("h2", "A", 1, 2))
	events := b.watch(s, 0)
	b.next(events, store.Resync)
	b.must(session.Close())
	began := time.Now()
	e := b.next(events, store.Gone)
	if e.Cause != store.Expired || e.Entry.Key.Host != "h1" {
		b.Errorf("got %+v, want h1 expired", e)
	}
	if took := time.Since(began); took < b.engine.TTL/2 || took > b.engine.TTL+b.engine.Late {
		b.Errorf("it went after %s, want %s", took, b.engine.TTL)
	}
	if shot := b.list(s); len(shot.Entries) != 1 || shot.Entries[0].Key.Host != "h2" {
		b.Errorf("got %+v, want h2 alone", shot.Entries)
	}
}

func held(b *bench) {
	s := b.open()
	b.publish(b.session(s, "h1"), record("h1", "A", 1, 1))
	events := b.watch(s, 0)
	b.next(events, store.Resync)
	b.quiet(events, 3*b.engine.TTL)
}

// P2: the end and return of an agent is no event.
func returning(b *bench) {
	s := b.open()
	want := record("h1", "A", 7, 1)
	session := b.session(s, "h1")
	b.publish(session, want)
	events := b.watch(s, 0)
	b.next(events, store.Resync)
	for range 3 {
		b.must(session.Close())
		b.quiet(events, b.engine.TTL/4)
		session = b.session(s, "h1")
		found, ok := session.Found()
		if !ok {
			b.Fatal("the record was not found again")
		}
		b.same(want, found)
		b.publish(session, found)
	}
	b.quiet(events, 2*b.engine.TTL)
	b.isLost(session, false)
}

func lost(b *bench) {
	s := b.open()
	session, usurper := b.session(s, "h1"), b.session(s, "h1")
	b.publish(session, record("h1", "A", 1, 1))
	b.publish(usurper, record("h1", "B", 1, 2))
	b.must(usurper.Withdraw(b.Context()))
	b.isLost(session, true)
	b.publish(session, record("h1", "A", 1, 1))
	b.isLost(session, false)
	events := b.watch(s, 0)
	b.same(record("h1", "A", 1, 1), b.next(events, store.Resync).Snapshot.Entries[0].Record)
	b.quiet(events, 2*b.engine.TTL)
}

// P2: the end and return of the store is no event.
func restart(b *bench) {
	s := b.open()
	want := record("h1", "A", 1, 1)
	b.publish(b.session(s, "h1"), want)
	gone := b.session(s, "h2")
	b.publish(gone, record("h2", "A", 1, 2))
	b.must(gone.Withdraw(b.Context()))
	before := b.list(s)
	b.must(s.Close())

	s = b.open()
	after := b.list(s)
	if len(after.Entries) != 1 || after.Rev < before.Rev {
		b.Fatalf("got %+v, want what was there: %+v", after, before)
	}
	b.same(want, after.Entries[0].Record)
	events := b.watch(s, 0)
	b.next(events, store.Resync)
	b.quiet(events, b.engine.TTL/2)
	session := b.session(s, "h1")
	found, _ := session.Found()
	b.same(want, found)
	b.publish(session, found)
	b.quiet(events, 2*b.engine.TTL)
	b.publish(session, record("h1", "A", 2, 3))
	if e := b.next(events, store.Put); e.Rev <= before.Rev {
		b.Errorf("revision %d came again after %d", e.Rev, before.Rev)
	}
}

// P1 holds over a restart of the store too.
func restartExpiry(b *bench) {
	s := b.open()
	b.publish(b.session(s, "h1"), record("h1", "A", 1, 1))
	b.must(s.Close())
	s = b.open()
	began := time.Now()
	events := b.watch(s, 0)
	if e := b.next(events, store.Resync); len(e.Snapshot.Entries) != 1 {
		b.Fatalf("got %+v, want the record", e.Snapshot)
	}
	if e := b.next(events, store.Gone); e.Cause != store.Expired {
		b.Errorf("got %+v, want it expired", e)
	}
	if took := time.Since(began); took < b.engine.TTL/2 || took > b.engine.TTL+b.engine.Late {
		b.Errorf("it went after %s, want %s", took, b.engine.TTL)
	}
	b.must(s.Close())
	if shot := b.list(b.open()); len(shot.Entries) != 0 {
		b.Errorf("got %+v after another restart, want none", shot.Entries)
	}
}

func clock(b *bench) {
	if b.engine.Jump == nil {
		return // this engine's clock is not the test's to set
	}
	s := b.open()
	b.publish(b.session(s, "h1"), record("h1", "A", 1, 1))
	left := b.session(s, "h2")
	b.publish(left, record("h2", "A", 1, 2))
	events := b.watch(s, 0)
	b.next(events, store.Resync)
	b.must(left.Close())
	began := time.Now()
	b.engine.Jump(24 * time.Hour)
	b.quiet(events, b.engine.TTL/2)
	b.engine.Jump(-48 * time.Hour)
	defer b.engine.Jump(24 * time.Hour)
	e := b.next(events, store.Gone)
	if took := time.Since(began); e.Entry.Key.Host != "h2" || took > b.engine.TTL+b.engine.Late {
		b.Errorf("%s went after %s, want h2 after %s", e.Entry.Key.Host, took, b.engine.TTL)
	}
	b.quiet(events, 2*b.engine.TTL)
}
