package publish_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-dev/berth/bridge/publish"
	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/embedded"
	"github.com/berth-dev/berth/collectors/inventory"
)

const embeddedEngine = embedded.Engine

func newHub() *inventory.Inventory { return new(inventory.Inventory) }

// A road is the way to a real store, which may be blocked.
type road struct {
	store.Store
	away  atomic.Bool  // calls fail
	hangs atomic.Bool  // calls last until their context ends
	calls atomic.Int64 // that were tried
}

// pass is nil if the way is free.
func (r *road) pass(ctx context.Context) error {
	r.calls.Add(1)
	if r.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if r.away.Load() {
		return errors.New("no route to the store")
	}
	return nil
}

func (r *road) Open(ctx context.Context, key store.Key, ttl time.Duration) (store.Session, error) {
	if err := r.pass(ctx); err != nil {
		return nil, err
	}
	s, err := r.Store.Open(ctx, key, ttl)
	return &lane{Session: s, road: r}, err
}

// A lane is a session over a road.
type lane struct {
	store.Session
	road *road
}

func (l *lane) Withdraw(ctx context.Context) error {
	if err := l.road.pass(ctx); err != nil {
		return err
	}
	return l.Session.Withdraw(ctx)
}

func (l *lane) Publish(ctx context.Context, r store.Record) error {
	if err := l.road.pass(ctx); err != nil {
		return err
	}
	return l.Session.Publish(ctx, r)
}

func TestAStoreThatIsAwayIsAStatus(t *testing.T) {
	onHost(t, func(h *host) {
		way := &road{Store: h.store}
		way.away.Store(true)
		p, _ := h.publisher(func(p *publish.Publisher) { p.Store = way })
		h.sees(orders("a", 1))
		settle()
		if s := p.Status(); !strings.Contains(s.Fault, "no route") || !s.Published.IsZero() {
			t.Errorf("away from the beginning: %+v", s)
		}
		way.away.Store(false)
		<-time.After(15 * time.Second)
		if s := p.Status(); s.Fault != "" || s.Mappings != 1 {
			t.Errorf("back after that: %+v", s)
		}

		way.away.Store(true)
		way.calls.Store(0)
		for i := range 3600 {
			h.sees(orders("a", uint16(i+2)))
			<-time.After(time.Second)
		}
		if n := way.calls.Load(); n > 1500 || n < 240 {
			t.Errorf("%d tries in an hour, want up to four a minute, jittered", n)
		}
		if r, _ := p.Current(); r.Mappings[0].HostPort != 3601 {
			t.Errorf("Current has port %d, want the newest", r.Mappings[0].HostPort)
		}
		if s := p.Status(); s.Fault == "" || s.Published.IsZero() {
			t.Errorf("away for an hour: %+v", s)
		}
		events := h.watch()
		way.away.Store(false)
		<-time.After(15 * time.Second)
		if r := h.record(); r.Mappings[0].HostPort != 3601 {
			t.Errorf("back again: %+v", r)
		}
		if got := events(); len(got) != 1 {
			t.Errorf("got %d records, want the newest alone", len(got))
		}
	})
}

// I5: a store that hangs delays neither the inventory nor whoever asks.
func TestI5AStoreThatHangsDelaysNobody(t *testing.T) {
	onHost(t, func(h *host) {
		way := &road{Store: h.store}
		p, stop := h.publisher(func(p *publish.Publisher) { p.Store = way })
		h.sees(orders("a", 1))
		h.record()
		way.hangs.Store(true)
		began := time.Now()
		for i := range 100 {
			h.sees(orders("a", uint16(i+2)))
			synctest.Wait()
		}
		if r, ok := p.Current(); !ok || r.Mappings[0].HostPort != 101 {
			t.Errorf("Current is %+v, %t", r, ok)
		}
		p.Status()
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
		<-time.After(5 * time.Second)
		if s := p.Status(); !strings.Contains(s.Fault, "deadline") {
			t.Errorf("status %+v, want a deadline", s)
		}
		<-time.After(5 * time.Second)
		began = time.Now()
		stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("Run ended %s after its context", took)
		}
	})
}

func TestAnotherAgentForTheSameHostIsNotFought(t *testing.T) {
	onHost(t, func(h *host) {
		p, _ := h.publisher()
		h.sees(orders("a", 1))
		mine := h.record()
		clone, err := h.store.Open(t.Context(), mine.Key(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		theirs := mine
		theirs.Incarnation, theirs.Seq = store.NewIncarnation(time.Now(), mine.Incarnation), 1
		if err := clone.Publish(t.Context(), theirs); err != nil {
			t.Fatal(err)
		}
		events := h.watch()
		for i := range 10 {
			h.sees(orders("a", uint16(i+2)))
			<-time.After(time.Minute)
		}
		if r := h.record(); !r.Same(theirs) {
			t.Errorf("the store holds %+v, want the other's", r)
		}
		if s := p.Status(); !strings.Contains(s.Fault, "another agent") || !s.Fenced {
			t.Errorf("status %+v", s)
		}
		if got := events(); len(got) != 0 {
			t.Errorf("got %+v, want no event", got)
		}
		if err := clone.Close(); err != nil {
			t.Fatal(err)
		}
		<-time.After(3 * time.Minute)
		if r := h.record(); r.Incarnation != mine.Incarnation || r.Mappings[0].HostPort != 11 {
			t.Errorf("once the other is gone, the store holds %+v", r)
		}
		if s := p.Status(); s.Fault != "" || s.Fenced {
			t.Errorf("status %+v", s)
		}
	})
}

func TestALostRecordIsPublishedAgain(t *testing.T) {
	onHost(t, func(h *host) {
		h.publisher(func(p *publish.Publisher) { p.Spread = 10 * time.Second })
		h.sees(orders("a", 1))
		<-time.After(2 * time.Second)
		mine := h.record()
		other, err := h.store.Open(t.Context(), mine.Key(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		theirs := mine
		theirs.Incarnation = store.NewIncarnation(time.Now(), mine.Incarnation)
		if err := errors.Join(other.Publish(t.Context(), theirs), other.Withdraw(t.Context())); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Second)
		if r := h.record(); !r.Same(mine) {
			t.Errorf("got %+v, want %+v again", r, mine)
		}
	})
}
