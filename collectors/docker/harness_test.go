package docker_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
)

// patient is how long a test waits for what it expects on a busy machine.
const patient = 30 * time.Second

// dial returns a client for a socket.
func dial(t *testing.T, socket string) *docker.Client {
	t.Helper()
	c, err := docker.Dial(socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

// watch runs a watcher on a socket until the test ends.
func watch(t *testing.T, socket string, change ...func(*docker.Watcher)) *docker.Watcher {
	t.Helper()
	w := &docker.Watcher{
		Client: dial(t, socket), Inventory: new(inventory.Inventory), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Retry: 10 * time.Millisecond, MaxRetry: 50 * time.Millisecond,
	}
	for _, c := range change {
		c(w)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v, want nil", err)
			}
		case <-time.After(patient):
			t.Error("Run has not returned")
		}
	})
	return w
}

// until waits for a picture of which holds is true.
func until(t *testing.T, w *docker.Watcher, what string, holds func(inventory.Snapshot) bool) inventory.Snapshot {
	t.Helper()
	deadline := time.After(patient)
	for {
		now, expired := w.Inventory.Watch()
		if holds(now) {
			return now
		}
		select {
		case <-expired:
		case <-deadline:
			t.Fatalf("not seen: %s; status %+v", what, w.Status())
		}
	}
}

// eventually waits for something that tells nobody when it changes.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); !holds(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

func synced(s inventory.Snapshot) bool { return s.Synced && s.Blind == "" }
func blind(s inventory.Snapshot) bool  { return s.Blind != "" }

// in reports whether a container is in a state.
func in(id inventory.ID, state inventory.State) func(inventory.Snapshot) bool {
	return func(s inventory.Snapshot) bool {
		c, ok := s.Container(id)
		return ok && c.State == state
	}
}

// observer keeps what it is told, in order: kinds of events of one container,
// and "listed".
type observer struct {
	mu       sync.Mutex
	events   []docker.Event
	listings []inventory.Listing
	hub      *inventory.Inventory // when each event was told, the picture was this old
	seen     []inventory.State    // of the event's container then
}

func (o *observer) Listed(l inventory.Listing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listings = append(o.listings, l)
}

func (o *observer) Event(e docker.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c, _ := o.hub.Snapshot().Container(e.ID)
	o.events, o.seen = append(o.events, e), append(o.seen, c.State)
}

// of returns the events of one container.
func (o *observer) of(id inventory.ID) (kinds []docker.Kind, all []docker.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if e.ID == id {
			kinds, all = append(kinds, e.Kind), append(all, e)
		}
	}
	return kinds, all
}

func (o *observer) last() inventory.Listing {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.listings) == 0 {
		return inventory.Listing{}
	}
	return slices.Clone(o.listings)[len(o.listings)-1]
}
