package main

import (
	"context"
	"fmt"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

func (s *seen) record(host string) store.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[host]
}

// ports are the host ports of a host's record, by service.
func (s *seen) ports(host string) string {
	all := map[string]uint16{}
	for _, m := range s.record(host).Mappings {
		all[m.Service] = m.HostPort
	}
	return fmt.Sprint(all)
}

// ports are the host ports that a host has.
func ports(h *host) map[string]uint16 {
	all := map[string]uint16{}
	for _, c := range h.now {
		all[c.Service] = c.Ports[0].Host
	}
	return all
}

// span is when the first and the last record went.
func (s *seen) span() (first, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.gone {
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last
}

// busiest counts calls by the second, until its result is asked for.
func (f *fleet) busiest(ctx context.Context) (most func() int64) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan int64)
	go func() {
		worst, before := int64(0), f.gate.calls.Load()
		for ctx.Err() == nil {
			sleep(ctx, time.Second)
			now := f.gate.calls.Load()
			worst, before = max(worst, now-before), now
		}
		ended <- worst
	}()
	return func() int64 { cancel(); return <-ended }
}
