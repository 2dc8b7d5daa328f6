package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// A gate is the way to a store that can die and come back, with its data or
// without. It implements [store.Store] for publishers.
type gate struct {
	calls atomic.Int64 // that passed

	mu    sync.Mutex // guards the fields below
	store store.Store
	shut  bool
	ended chan struct{} // closed when this life of the store ends
}

var errShut = errors.New("connect: connection refused")

func newGate(s store.Store) *gate { return &gate{store: s, ended: make(chan struct{})} }

// die ends this life of the store: every session is lost.
func (g *gate) die() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	close(g.ended)
}

// revive begins another one.
func (g *gate) revive(s store.Store) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.store, g.shut, g.ended = s, false, make(chan struct{})
}

func (g *gate) now() (store.Store, chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return nil, nil, errShut
	}
	g.calls.Add(1)
	return g.store, g.ended, nil
}

func (g *gate) Engine() string { return "gate" }
func (g *gate) Close() error   { return nil }

func (g *gate) Open(ctx context.Context, key store.Key, ttl time.Duration) (store.Session, error) {
	s, ended, err := g.now()
	if err != nil {
		return nil, err
	}
	inner, err := s.Open(ctx, key, ttl)
	if err != nil {
		return nil, err
	}
	return &pass{gate: g, key: key, ttl: ttl, inner: inner, ended: ended}, nil
}

func (g *gate) List(ctx context.Context, cluster string) (store.Snapshot, error) {
	s, _, err := g.now()
	if err != nil {
		return store.Snapshot{}, err
	}
	return s.List(ctx, cluster)
}

func (g *gate) Watch(ctx context.Context, cluster string, from store.Rev) (<-chan store.Event, error) {
	s, _, err := g.now()
	if err != nil {
		return nil, err
	}
	return s.Watch(ctx, cluster, from)
}

// A pass is a session over lives of the store. One publisher's goroutine alone
// uses it.
type pass struct {
	gate  *gate
	key   store.Key
	ttl   time.Duration
	inner store.Session
	ended chan struct{} // of the life that inner belongs to
}

func (p *pass) Found() (store.Record, bool) { return p.inner.Found() }

func (p *pass) Publish(ctx context.Context, r store.Record) error {
	s, ended, err := p.gate.now()
	if err != nil {
		return err
	}
	again := ended != p.ended
	if again {
		if p.inner, err = s.Open(ctx, p.key, p.ttl); err != nil {
			return err
		}
	}
	if err = p.inner.Publish(ctx, r); err == nil && again {
		p.ended = ended
	}
	return err
}

func (p *pass) Withdraw(ctx context.Context) error { return p.inner.Withdraw(ctx) }
func (p *pass) Lost() <-chan struct{}              { return p.ended }
func (p *pass) Close() error                       { return p.inner.Close() }
