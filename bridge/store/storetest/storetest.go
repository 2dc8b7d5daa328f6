package storetest

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/bridge/store"
)

// An Engine is what is tested.
type Engine struct {
	// Open opens a store whose content belongs to the folder place: opening it
	// again with the same place, once it is closed, is a restart. Tests run side by
	// side, each with a place of its own.
	Open func(t *testing.T, place string) store.Store
	// TTL is the shortest for which the engine keeps its word.
	TTL time.Duration
	// Late is by how much an expiry may be seen after its time; 0: 1 s.
	Late time.Duration
	// Jump sets the host's clock by so much, as the engine sees it; nil if it
	// cannot be done.
	Jump func(by time.Duration)
	// Dear is whether a publish takes tens of milliseconds, so that there are fewer.
	Dear bool
	// Bubble runs each test in a synctest bubble: for engines without sockets.
	Bubble bool
}

// patience is how long a test waits for what must come, whatever that takes.
const patience = 30 * time.Second

// cluster is where the tests' hosts are, unless a test is about clusters.
const cluster = "prod"

// Run runs all tests, side by side where that is no bubble's: they mostly wait.
func Run(t *testing.T, e Engine) {
	if e.Late == 0 {
		e.Late = time.Second
	}
	for name, test := range tests() {
		t.Run(name, func(t *testing.T) {
			place := t.TempDir()
			run := func(t *testing.T) { test(&bench{T: t, engine: e, place: place}) }
			if e.Bubble {
				synctest.Test(t, run)
				return
			}
			t.Parallel()
			run(t)
		})
	}
}

// tests by what they say of a store.
func tests() map[string]func(*bench) {
	return map[string]func(*bench){
		"a published record is listed":                  published,
		"a record keeps fields that nobody knows":       unknownFields,
		"clusters are apart":                            clustersApart,
		"a record has to be the session's own and fit":  refused,
		"an older record does not replace a newer":      fencedBySequence,
		"a younger incarnation takes over":              fencedByIncarnation,
		"a session withdraws its own record alone":      withdrawal,
		"a record outlives its session by its TTL":      expiry,
		"an open session holds its record":              held,
		"a session that returns in time goes unnoticed": returning,
		"a lost session is told and can publish again":  lost,
		"a watcher is given everything, then changes":   watching,
		"a watcher goes on where it was":                resuming,
		"a slow watcher delays nobody and catches up":   slow,
		"a watch ends with its context":                 cancelled,
		"a closed store says so":                        closed,
		"a cancelled call does nothing":                 cancelledCalls,
		"many hosts publish at once":                    concurrent,
		"a restart of the store goes unnoticed":         restart,
		"a record that nobody takes up again goes":      restartExpiry,
		"setting the clock ends no record":              clock,
	}
}

// A bench is one test's engine and tools.
type bench struct {
	*testing.T
	engine Engine
	place  string
}

// patient is how long to wait for what may take a TTL.
func (b *bench) patient() time.Duration { return patience + b.engine.TTL + b.engine.Late }

// open opens the store of this test.
func (b *bench) open() store.Store {
	b.Helper()
	s := b.engine.Open(b.T, b.place)
	b.Cleanup(func() { b.must(s.Close()) })
	return s
}

// session opens a session for a host of the usual cluster.
func (b *bench) session(s store.Store, host string) store.Session {
	b.Helper()
	session, err := s.Open(b.Context(), store.Key{Cluster: cluster, Host: host}, b.engine.TTL)
	b.must(err)
	b.Cleanup(func() { b.must(session.Close()) })
	return session
}

// publish publishes a record that must be taken.
func (b *bench) publish(s store.Session, r store.Record) {
	b.Helper()
	b.must(s.Publish(b.Context(), r))
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// only is the one record of the usual cluster.
func (b *bench) only(s store.Store) store.Record {
	b.Helper()
	shot := b.list(s)
	if len(shot.Entries) != 1 {
		b.Fatalf("got %+v, want one record", shot.Entries)
	}
	return shot.Entries[0].Record
}

// list is the content of the usual cluster.
func (b *bench) list(s store.Store) store.Snapshot {
	b.Helper()
	shot, err := s.List(b.Context(), cluster)
	b.must(err)
	return shot
}

// watch follows the usual cluster until the test ends.
func (b *bench) watch(s store.Store, from store.Rev) <-chan store.Event {
	b.Helper()
	events, err := s.Watch(b.Context(), cluster, from)
	b.must(err)
	return events
}

// next is the next event, of a certain kind.
func (b *bench) next(events <-chan store.Event, kind store.Kind) store.Event {
	b.Helper()
	select {
	case e, ok := <-events:
		if !ok || e.Kind != kind {
			b.Fatalf("got event %+v, open %t; want kind %d", e, ok, kind)
		}
		return e
	case <-time.After(b.patient()):
		b.Fatalf("waited in vain for an event of kind %d", kind)
		return store.Event{}
	}
}

// quiet checks that there is no event for a while.
func (b *bench) quiet(events <-chan store.Event, during time.Duration) {
	b.Helper()
	select {
	case e := <-events:
		b.Fatalf("got event %+v, want none", e)
	case <-time.After(during):
	}
}

// same compares records.
func (b *bench) same(want, got any) {
	b.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		b.Error(diff)
	}
}

// record is a record with one mapping, told apart by its incarnation, number
// and port.
func record(host, incarnation string, seq uint64, port uint16) store.Record {
	return store.Record{
		V: store.Version, Host: host, Cluster: cluster, Boot: "boot", Incarnation: incarnation, Seq: seq, State: store.OK,
		Mappings: []store.Mapping{{
			Service: "orders", Instance: 1, Container: "app", ID: "0123456789ab", Port: 5555, Protocol: "tcp", HostPort: port,
			Name: "jmxmp", URL: fmt.Sprintf("service:jmx:jmxmp://10.1.2.3:%d", port),
		}},
	}
}

// during runs work and fails if it has not ended after some patience.
func (b *bench) during(work func(context.Context)) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), b.patient())
	defer cancel()
	ended := make(chan struct{})
	go func() { defer close(ended); work(ctx) }()
	select {
	case <-ended:
	case <-ctx.Done():
		b.Fatal("it has not ended")
	}
}
