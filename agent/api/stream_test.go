package api_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
)

// follow reads events in the background until the stream ends.
func (r *rig) follow(ctx context.Context) (<-chan api.Event, <-chan error) {
	events, ended := make(chan api.Event, 100), make(chan error, 1)
	go func() {
		ended <- r.Events(ctx, true, 0, func(e api.Event) error {
			events <- e
			return nil
		})
	}()
	return events, ended
}

// next waits for one value.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
	}
	var none T
	return none
}

func TestFollowersSeeEachEventAtOnce(t *testing.T) {
	r := serve(t)
	events, _ := r.follow(t.Context())
	for _, kind := range []string{"container.started", "logs.removed"} {
		r.backend.feed.Publish(api.Event{Type: kind})
		if got := next(t, events); got.Type != kind {
			t.Errorf("got %+v, want %s", got, kind)
		}
	}
}

func TestFollowersHearAHeartbeatInSilence(t *testing.T) {
	r := serve(t, func(s *api.Server) { s.Heartbeat = time.Millisecond })
	events, _ := r.follow(t.Context())
	for range 2 {
		if got := next(t, events); got.Type != "heartbeat" || got.Time.IsZero() {
			t.Errorf("got %+v, want a heartbeat", got)
		}
	}
}

func TestEventsEndAtThePresent(t *testing.T) {
	r := serve(t)
	fill(r.backend.feed, 3)
	seen := 0
	err := r.Events(t.Context(), false, 1, func(api.Event) error { seen++; return nil })
	if err != nil || seen != 2 {
		t.Errorf("got %d events, %v", seen, err)
	}
	enough := errors.New("enough")
	if err := r.Events(t.Context(), false, 0, func(api.Event) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want the reader's own error", err)
	}
}

func TestShutdownEndsFollowersAndRuns(t *testing.T) {
	r := serve(t)
	events, ended := r.follow(t.Context())
	r.backend.feed.Publish(api.Event{Type: "test"})
	next(t, events)
	ran := make(chan error, 1)
	go func() {
		_, err := r.RunJob(t.Context(), "long", false)
		ran <- err
	}()
	next(t, r.backend.blocked)
	began := time.Now()
	r.stop()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("shutdown took %v", took)
	}
	if err := next(t, ended); err != nil {
		t.Errorf("the stream ended with %v", err)
	}
	if err := next(t, ran); !errors.Is(err, api.Unavailable(errors.New(""))) {
		t.Errorf("the run ended with %v", err)
	}
}
