package remote_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

const ttl = 90 * time.Second

// A server holds one host's record, and has a clock that can be set.
type server struct {
	mu      sync.Mutex // guards the fields below
	ahead   time.Duration
	renewed int
	expires time.Time // by the server's clock
	down    bool
}

func (s *server) now() time.Time { return time.Now().Add(s.ahead) }

func (s *server) Hints(ctx context.Context, _ string, _ func(string)) { <-ctx.Done() }

func (s *server) Look(_ context.Context, cluster string, _ []string, _ func(string) string) ([]remote.Sight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, errors.New("away")
	}
	r := store.Record{V: store.Version, Host: "h1", Cluster: cluster, Incarnation: "A", Seq: 1}
	return []remote.Sight{{Host: "h1", Version: "A 1", Renewed: string(rune('a' + s.renewed)), Left: s.expires.Sub(s.now()), TTL: ttl, Record: &r}}, nil
}

func (s *server) change(f func()) { s.mu.Lock(); defer s.mu.Unlock(); f() }

func (s *server) renew() {
	s.change(func() { s.renewed++; s.expires = s.now().Add(ttl) })
}

// watched runs a test with a reader that has seen h1.
func watched(t *testing.T, test func(t *testing.T, s *server, v *remote.View, events <-chan store.Event)) {
	synctest.Test(t, func(t *testing.T) {
		s, life := &server{}, &remote.Life{}
		s.renew()
		v := &remote.View{Source: s, Life: life}
		events, err := v.Watch(t.Context(), "prod", 0)
		if err != nil {
			t.Fatal(err)
		}
		if e := <-events; e.Kind != store.Resync || len(e.Snapshot.Entries) != 1 {
			t.Fatalf("got %+v, want h1", e)
		}
		test(t, s, v, events)
		life.Close()
	})
}

// quiet renews h1 every 25 s of some time in which nothing may be told.
func quiet(t *testing.T, s *server, events <-chan store.Event, during time.Duration) {
	t.Helper()
	for end := time.Now().Add(during); time.Now().Before(end); s.renew() {
		select {
		case e := <-events:
			t.Fatalf("got %+v, want none", e)
		case <-time.After(25 * time.Second):
		}
	}
}

// expires checks that h1 goes a TTL after its last renewal.
func expires(t *testing.T, events <-chan store.Event, within time.Duration) {
	t.Helper()
	began := time.Now()
	e := <-events
	if took := time.Since(began); e.Kind != store.Gone || e.Cause != store.Expired || took > within+time.Second {
		t.Errorf("got %+v after %s, want it expired after %s", e, took, within)
	}
}

// proves P1 and P2 while the server's clock is set: five minutes ahead, and
// five behind.
func TestTheServersClockEndsNoRecord(t *testing.T) {
	watched(t, func(t *testing.T, s *server, _ *remote.View, events <-chan store.Event) {
		for _, by := range []time.Duration{5 * time.Minute, -10 * time.Minute, 5 * time.Minute, -24 * time.Hour, 48 * time.Hour} {
			s.change(func() { s.ahead += by })
			quiet(t, s, events, 5*time.Minute)
		}
		s.change(func() { s.ahead -= 5 * time.Minute })
		expires(t, events, ttl+5*time.Second) // counted from the look after the last renewal
	})
}

// proves P2 while the server is away: for an hour nobody could renew.
func TestTimeInWhichNobodyCouldLookDoesNotCount(t *testing.T) {
	watched(t, func(t *testing.T, s *server, _ *remote.View, events <-chan store.Event) {
		s.change(func() { s.down = true })
		select {
		case e := <-events:
			t.Fatalf("got %+v, want none", e)
		case <-time.After(time.Hour):
		}
		s.change(func() { s.down = false })
		select {
		case e := <-events:
			t.Fatalf("got %+v, want none", e)
		case <-time.After(30 * time.Second): // the hosts return
		}
		quiet(t, s, events, 5*time.Minute)
		expires(t, events, ttl)
	})
}

// A list that follows nothing takes the server's word.
func TestAListPassesOverWhatIsPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, life := &server{}, &remote.Life{}
		s.renew()
		v := &remote.View{Source: s, Life: life}
		for _, want := range []int{1, 0} {
			shot, err := v.List(t.Context(), "prod")
			if err != nil || len(shot.Entries) != want {
				t.Errorf("got %+v, %v, want %d records", shot, err, want)
			}
			<-time.After(ttl + time.Second)
		}
		s.renew()
		if shot, err := v.List(t.Context(), "prod"); err != nil || len(shot.Entries) != 1 {
			t.Errorf("got %+v, %v, want the record back", shot, err)
		}
	})
}
