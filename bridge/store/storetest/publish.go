package storetest

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

func published(b *bench) {
	s := b.open()
	if shot := b.list(s); len(shot.Entries) != 0 {
		b.Fatalf("a new store holds %+v", shot.Entries)
	}
	session := b.session(s, "h1")
	if r, ok := session.Found(); ok {
		b.Errorf("found %+v in a new store", r)
	}
	want := record("h1", "A", 1, 1)
	b.publish(session, want)
	first := b.list(s)
	if len(first.Entries) != 1 {
		b.Fatalf("got %d records, want 1", len(first.Entries))
	}
	e := first.Entries[0]
	b.same(want, e.Record)
	if e.Key != want.Key() || e.Rev == 0 || e.Rev > first.Rev || first.Skipped != 0 {
		b.Errorf("got %+v in a snapshot of revision %d", e, first.Rev)
	}
	if left := time.Until(e.Expires); left <= 0 || left > b.engine.TTL+b.engine.Late {
		b.Errorf("it expires in %s, want up to %s", left, b.engine.TTL)
	}
	b.publish(b.session(s, "h0"), record("h0", "A", 1, 2))
	b.publish(session, record("h1", "A", 2, 3))
	shot := b.list(s)
	if len(shot.Entries) != 2 || shot.Entries[0].Key.Host != "h0" || shot.Entries[1].Record.Seq != 2 || shot.Entries[1].Rev <= e.Rev {
		b.Errorf("got %+v, want h0 and then the changed h1", shot.Entries)
	}
}

func unknownFields(b *bench) {
	s := b.open()
	want := record("h1", "A", 1, 1)
	want.Extra = store.Extra{"later": json.RawMessage(`{"x":[1,2]}`)}
	want.Mappings[0].Extra = store.Extra{"tls": json.RawMessage(`true`)}
	b.publish(b.session(s, "h1"), want)
	b.same(want, b.only(s))
}

func clustersApart(b *bench) {
	s := b.open()
	b.publish(b.session(s, "h1"), record("h1", "A", 1, 1))
	key := store.Key{Cluster: cluster + "-2", Host: "h1"}
	session, err := s.Open(b.Context(), key, b.engine.TTL)
	b.must(err)
	defer session.Close()
	if r, ok := session.Found(); ok {
		b.Errorf("found %+v of another cluster", r)
	}
	events := b.watch(s, 0)
	b.next(events, store.Resync)
	other := record("h1", "B", 1, 2)
	other.Cluster = key.Cluster
	b.publish(session, other)
	b.quiet(events, b.engine.TTL/4)
	b.same(record("h1", "A", 1, 1), b.only(s))
}

func refused(b *bench) {
	s := b.open()
	session := b.session(s, "h1")
	large := record("h1", "A", 1, 1)
	large.Mappings[0].URL = strings.Repeat("x", store.MaxRecord)
	if err := session.Publish(b.Context(), large); !errors.Is(err, store.ErrTooLarge) {
		b.Errorf("a large record: got %v, want ErrTooLarge", err)
	}
	later := record("h1", "A", 1, 1)
	later.V++
	if err := session.Publish(b.Context(), later); !errors.Is(err, store.ErrVersion) {
		b.Errorf("a record of a later version: got %v, want ErrVersion", err)
	}
	if err := session.Publish(b.Context(), record("h2", "A", 1, 1)); err == nil {
		b.Error("another host's record was taken")
	}
	for _, key := range []store.Key{{}, {Cluster: cluster}, {Cluster: "a/b", Host: "h"}, {Cluster: cluster, Host: "h\n"}} {
		if _, err := s.Open(b.Context(), key, b.engine.TTL); err == nil {
			b.Errorf("a session for %q was opened", key)
		}
	}
	if shot := b.list(s); len(shot.Entries) != 0 {
		b.Errorf("the store holds %+v", shot.Entries)
	}
}

func fencedBySequence(b *bench) {
	s := b.open()
	session := b.session(s, "h1")
	b.publish(session, record("h1", "A", 5, 1))
	before := b.list(s)
	for _, r := range []store.Record{record("h1", "A", 4, 2), record("h1", "A", 5, 2), record("h1", "9", 9, 2)} {
		if err := session.Publish(b.Context(), r); !errors.Is(err, store.ErrFenced) {
			b.Errorf("%s %d: got %v, want ErrFenced", r.Incarnation, r.Seq, err)
		}
	}
	b.publish(session, record("h1", "A", 5, 1)) // the same again
	after := b.list(s)
	b.same(before.Entries[0].Record, after.Entries[0].Record)
	if after.Rev != before.Rev {
		b.Errorf("the revision went from %d to %d without a change", before.Rev, after.Rev)
	}
}

func fencedByIncarnation(b *bench) {
	s := b.open()
	older, younger := b.session(s, "h1"), b.session(s, "h1")
	b.publish(older, record("h1", "A", 100, 1))
	b.publish(younger, record("h1", "B", 1, 2))
	b.isLost(older, true)
	b.isLost(younger, false)
	if err := older.Publish(b.Context(), record("h1", "A", 101, 3)); !errors.Is(err, store.ErrFenced) {
		b.Errorf("got %v, want ErrFenced", err)
	}
	b.same(record("h1", "B", 1, 2), b.only(s))
}

func withdrawal(b *bench) {
	s := b.open()
	older, younger := b.session(s, "h1"), b.session(s, "h1")
	b.must(older.Withdraw(b.Context())) // nothing yet
	b.publish(older, record("h1", "A", 1, 1))
	b.must(younger.Withdraw(b.Context())) // it has published nothing
	b.publish(younger, record("h1", "B", 1, 2))
	if err := older.Withdraw(b.Context()); !errors.Is(err, store.ErrFenced) {
		b.Errorf("got %v, want ErrFenced", err)
	}
	events := b.watch(s, 0)
	b.next(events, store.Resync)
	b.must(younger.Withdraw(b.Context()))
	e := b.next(events, store.Gone)
	if e.Cause != store.Withdrawn || e.Entry.Key.Host != "h1" {
		b.Errorf("got %+v, want h1 withdrawn", e)
	}
	if shot := b.list(s); len(shot.Entries) != 0 || shot.Rev < e.Rev {
		b.Errorf("got %+v, want none at %d or later", shot, e.Rev)
	}
	b.must(younger.Withdraw(b.Context())) // there is none any more
}

// isLost checks a session's state, which may take a moment to get about.
func (b *bench) isLost(s store.Session, want bool) {
	b.Helper()
	wait := b.patient()
	if !want {
		wait = 0
	}
	select {
	case <-s.Lost():
		if !want {
			b.Error("the session is lost")
		}
	case <-time.After(wait):
		if want {
			b.Error("the session is not lost")
		}
	}
}
