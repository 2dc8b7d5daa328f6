package publish_test

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-dev/berth/bridge/publish"
	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/embedded"
	"github.com/berth-dev/berth/collectors/identity"
	"github.com/berth-dev/berth/collectors/inventory"
)

// A host is a real inventory, a real embedded store and a publisher between
// them, in a synctest bubble.
type host struct {
	*testing.T
	hub   *inventory.Inventory
	path  string
	store *embedded.Store

	mu sync.Mutex // guards the field below
	is identity.Host
}

// onHost runs a test on a new host.
func onHost(t *testing.T, test func(*host)) {
	path := filepath.Join(t.TempDir(), "store")
	synctest.Test(t, func(t *testing.T) {
		h := &host{T: t, hub: new(inventory.Inventory), path: path, is: identity.Host{
			ID: "h1", Cluster: "prod", Boot: "boot-1", Address: netip.MustParseAddr("10.1.2.3"),
		}}
		h.open()
		test(h)
		if err := h.store.Close(); err != nil {
			t.Error(err)
		}
	})
}

// open opens the host's store.
func (h *host) open() {
	h.Helper()
	s, notice, err := embedded.Open(h.path, embedded.Options{})
	if err != nil || notice != "" {
		h.Fatalf("open store: %v, notice %q", err, notice)
	}
	h.store = s
}

// identity is who the host is at the moment.
func (h *host) identity() identity.Host {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.is
}

// becomes changes who the host is.
func (h *host) becomes(change func(*identity.Host)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.is)
}

// publisher runs a publisher until stop is called.
func (h *host) publisher(change ...func(*publish.Publisher)) (p *publish.Publisher, stop func()) {
	h.Helper()
	p = &publish.Publisher{
		Inventory: h.hub, Store: h.store, Identity: h.identity, Log: slog.New(slog.NewTextHandler(h.Output(), nil)),
	}
	for _, c := range change {
		c(p)
	}
	ctx, cancel := context.WithCancel(h.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	synctest.Wait()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			h.Errorf("Run: %v, want nil", err)
		}
	})
	h.Cleanup(stop)
	return p, stop
}

// sees replaces the host's picture by a complete listing.
func (h *host) sees(containers ...inventory.Container) {
	h.hub.Replace(inventory.Snapshot{
		Synced: true, At: time.Now(), Engine: inventory.Engine{CPUs: 4, Memory: 8 << 30}, Containers: containers,
	})
}

// goesBlind marks the picture as out of date.
func (h *host) goesBlind() {
	s := h.hub.Snapshot()
	s.Blind, s.BlindSince = "connection refused", time.Now()
	h.hub.Replace(s)
}

// settle lets a while pass, more than it takes to publish a change.
func settle() { <-time.After(time.Second) }

// entry is what the store holds for the host.
func (h *host) entry() (store.Entry, bool) {
	h.Helper()
	shot, err := h.store.List(h.Context(), "prod")
	if err != nil {
		h.Fatal(err)
	}
	if len(shot.Entries) == 0 {
		return store.Entry{}, false
	}
	return shot.Entries[0], true
}

// record is what the store holds, after a while; it must hold something.
func (h *host) record() store.Record {
	h.Helper()
	settle()
	e, ok := h.entry()
	if !ok {
		h.Fatal("the store holds nothing")
	}
	return e.Record
}

// watch collects the kinds of all events from now on, but for the first Resync.
func (h *host) watch() (events func() []store.Event) {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	in, err := h.store.Watch(ctx, "prod", 0)
	if err != nil {
		h.Fatal(err)
	}
	<-in
	all := make(chan []store.Event, 1)
	go func() {
		var list []store.Event
		for e := range in {
			list = append(list, e)
		}
		all <- list
	}()
	return func() []store.Event {
		synctest.Wait()
		cancel()
		return <-all
	}
}

// orders is a container that runs a JMXMP server.
func orders(digit string, hostPort uint16) inventory.Container {
	return inventory.Container{
		ID: inventory.ID(strings.Repeat(digit, inventory.IDLen)), Service: "orders", Name: "app",
		Task: "arn:aws:ecs:eu-west-1:1:task/prod/" + digit, ECS: true, State: inventory.Running,
		Started: time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC),
		Limits:  inventory.Limits{CPUShares: 256, MemoryReservation: 512 << 20},
		Ports:   []inventory.Port{{Container: 5555, Protocol: "tcp", HostAddr: netip.IPv4Unspecified(), Host: hostPort}},
	}
}
