package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/berth-dev/berth/bridge/publish"
	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/collectors/identity"
	"github.com/berth-dev/berth/collectors/inventory"
)

const (
	cluster    = "fleet"
	containers = 18
)

// A host is one agent's inventory and, while it runs, its publisher.
type host struct {
	name string
	hub  *inventory.Inventory
	stop func() // ends the publisher and waits for it

	mu  sync.Mutex // guards the field below
	now []inventory.Container
}

func newHost(n int) *host {
	h := &host{name: fmt.Sprintf("i-%017x", n), hub: new(inventory.Inventory)}
	for i := range containers {
		h.now = append(h.now, inventory.Container{
			ID: inventory.ID(fmt.Sprintf("%032x%032x", n, i)), Service: fmt.Sprintf("service-%d", i), Name: "app",
			Task: fmt.Sprintf("arn:aws:ecs:eu-west-1:1:task/%s/%016x%016x", cluster, n, i), ECS: true, State: inventory.Running,
			Started: time.Now(), Limits: inventory.Limits{CPUShares: 256, MemoryReservation: 512 << 20},
			Ports: []inventory.Port{{Container: 5555, Protocol: "tcp", HostAddr: netip.IPv4Unspecified(), Host: uint16(32768 + i)}},
		})
	}
	h.show()
	return h
}

// show hands the containers as they are to the publisher. mu is held, or nobody
// else knows the host.
func (h *host) show() {
	h.hub.Replace(inventory.Snapshot{
		Synced: true, At: time.Now(), Engine: inventory.Engine{CPUs: 8, Memory: 64 << 30}, Containers: slices.Clone(h.now),
	})
}

// change restarts one container: its port is another one.
func (h *host) change() {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &h.now[rand.IntN(containers)]
	c.Ports = []inventory.Port{{Container: 5555, Protocol: "tcp", HostAddr: netip.IPv4Unspecified(), Host: uint16(1 + rand.IntN(65535))}}
	c.Started = time.Now()
	h.show()
}

// says reports whether a record has the host's ports as they are.
func (h *host) says(r store.Record) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[string]uint16{}
	for _, c := range h.now {
		all[c.Service] = c.Ports[0].Host
	}
	return fmt.Sprint(all) == ports(r)
}

// start runs the host's publisher.
func (h *host) start(ctx context.Context, to store.Store, ttl, spread time.Duration) {
	p := &publish.Publisher{
		Inventory: h.hub, Store: to, TTL: ttl, Spread: spread, Log: slog.New(slog.DiscardHandler),
		Identity: func() identity.Host {
			return identity.Host{ID: h.name, Cluster: cluster, Boot: "boot-1", Address: netip.MustParseAddr("10.1.2.3")}
		},
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.Run(ctx) // nil by its contract
	}()
	h.stop = func() {
		cancel()
		<-ended
	}
}
