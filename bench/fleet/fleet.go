package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// spread is over how long hosts distribute their records when all have to
// publish at once.
const spread = 10 * time.Second

// A fleet is all hosts, their store and a watcher.
type fleet struct {
	plan
	server server
	hosts  []*host
	seen   *seen
	steady float64 // calls in a second while nothing happens

	churning func() // stops the changes of hosts
}

func newFleet(ctx context.Context, p plan, s server) (*fleet, error) {
	f := &fleet{plan: p, server: s, churning: func() {}}
	for n := range p.hosts {
		f.hosts = append(f.hosts, newHost(n))
	}
	return f, f.watch(ctx)
}

// start runs a host's publisher.
func (f *fleet) start(ctx context.Context, n int, spread time.Duration) {
	f.hosts[n].start(ctx, f.server.via(n), f.ttl, spread)
}

func (f *fleet) close() {
	f.churning()
	stop(f.hosts)
	f.seen.stop()
	if err := f.server.close(); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
	}
}

// stop ends the publishers of some hosts at once.
func stop(hosts []*host) {
	var all sync.WaitGroup
	for _, h := range hosts {
		all.Go(func() {
			if h.stop != nil {
				h.stop()
			}
		})
	}
	all.Wait()
}

// churn changes hosts at random, each once in the plan's time on average, until
// it is stopped.
func (f *fleet) churn(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() {
		next := time.Now() // so that a wait that takes too long makes up for it
		for ctx.Err() == nil {
			next = next.Add(time.Duration(rand.ExpFloat64() * float64(f.plan.churn) / float64(len(f.hosts))))
			sleep(ctx, time.Until(next))
			f.hosts[rand.IntN(len(f.hosts))].change()
		}
	})
	f.churning = func() {
		cancel()
		work.Wait()
		f.churning = func() {}
	}
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
