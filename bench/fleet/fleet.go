package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/embedded"
)

// spread is over how long hosts distribute their records when all have to
// publish at once.
const spread = 10 * time.Second

// A fleet is all hosts, their store and a watcher.
type fleet struct {
	plan
	file  string
	store *embedded.Store
	gate  *gate
	hosts []*host
	seen  *seen

	churning func() // stops the changes of hosts
}

func newFleet(ctx context.Context, p plan, folder string) (*fleet, error) {
	f := &fleet{plan: p, file: filepath.Join(folder, "store"), churning: func() {}}
	if err := f.open(f.file); err != nil {
		return nil, err
	}
	f.gate = newGate(f.store)
	for n := range p.hosts {
		f.hosts = append(f.hosts, newHost(n))
	}
	return f, f.watch(ctx)
}

func (f *fleet) open(file string) (err error) {
	f.store, _, err = embedded.Open(file, embedded.Options{})
	return err
}

func (f *fleet) close() {
	f.churning()
	var all sync.WaitGroup
	for _, h := range f.hosts {
		all.Go(func() {
			if h.stop != nil {
				h.stop()
			}
		})
	}
	all.Wait()
	f.seen.stop()
	if err := f.store.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
	}
}

// churn changes hosts at random, each once in the plan's time on average, until
// it is stopped.
func (f *fleet) churn(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() {
		for ctx.Err() == nil {
			wait := time.Duration(rand.ExpFloat64() * float64(f.plan.churn) / float64(len(f.hosts)))
			select {
			case <-ctx.Done():
			case <-time.After(wait):
				f.hosts[rand.IntN(len(f.hosts))].change()
			}
		}
	})
	f.churning = func() {
		cancel()
		work.Wait()
		f.churning = func() {}
	}
}

// A seen is what a watcher has seen.
type seen struct {
	stop func()

	mu      sync.Mutex // guards the fields below
	records map[string]store.Record
	same    int                  // puts of what was there already
	gone    map[string]time.Time // when each host went
}

func (f *fleet) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	events, err := f.store.Watch(ctx, cluster, 0)
	if err != nil {
		cancel()
		return err
	}
	s := &seen{records: map[string]store.Record{}, gone: map[string]time.Time{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for e := range events {
			s.take(e)
		}
	}()
	s.stop = func() { cancel(); <-ended }
	f.seen = s
	return nil
}

func (s *seen) take(e store.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case store.Put:
		if before, there := s.records[e.Entry.Key.Host]; there && before.Hash() == e.Entry.Record.Hash() {
			s.same++
		}
		s.records[e.Entry.Key.Host] = e.Entry.Record
	case store.Gone:
		s.gone[e.Entry.Key.Host] = time.Now()
		delete(s.records, e.Entry.Key.Host)
	case store.Resync:
		s.resync(e.Snapshot.Entries)
	}
}

// resync learns what has happened from all there is now, as a watcher does that
// was too slow for each event. mu is held.
func (s *seen) resync(entries []store.Entry) {
	before := s.records
	s.records = map[string]store.Record{}
	for _, e := range entries {
		s.records[e.Key.Host] = e.Record
	}
	for host := range before {
		if _, there := s.records[host]; !there {
			s.gone[host] = time.Now()
		}
	}
}

// counts returns how many records there are, were put again as they were, and
// went.
func (s *seen) counts() (records, same, gone int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records), s.same, len(s.gone)
}

// until waits for a condition, at most for a while.
func until(ctx context.Context, most time.Duration, what string, holds func() bool) error {
	deadline := time.Now().Add(most)
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return errors.New("waited in vain for " + what)
		}
	}
	return nil
}
