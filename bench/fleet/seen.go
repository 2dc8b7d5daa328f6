package main

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// A seen is what a watcher has seen.
type seen struct {
	stop func()

	mu      sync.Mutex // guards the fields below
	records map[string]store.Record
	same    int                  // puts of what was there already
	gone    map[string]time.Time // when each host went
	before  map[string]uint64    // at an outage's end: the number of each host's record
	fresh   map[string]bool      // since then: hosts that have published
}

// watch begins with what is there.
func (f *fleet) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	events, err := f.server.reader().Watch(ctx, cluster, 0)
	if err != nil {
		cancel()
		return err
	}
	s := &seen{records: map[string]store.Record{}, gone: map[string]time.Time{}, fresh: map[string]bool{}}
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
		s.put(e.Entry)
	case store.Gone:
		s.gone[e.Entry.Key.Host] = time.Now()
		delete(s.records, e.Entry.Key.Host)
	case store.Resync:
		s.resync(e.Snapshot.Entries)
	}
}

// put notes a record. mu is held.
func (s *seen) put(e store.Entry) {
	s.records[e.Key.Host] = e.Record
	if e.Record.Seq > s.before[e.Key.Host] {
		s.fresh[e.Key.Host] = true
	}
}

// resync learns what has happened from all there is now, as a watcher does that
// was too slow for each event. mu is held.
func (s *seen) resync(entries []store.Entry) {
	before := s.records
	s.records = map[string]store.Record{}
	for _, e := range entries {
		s.put(e)
	}
	for host := range before {
		if _, there := s.records[host]; !there {
			s.gone[host] = time.Now()
		}
	}
}

// returns forgets who is fresh: the store has come back with the records as
// they are, or with none. Hosts whose record is still true need not publish.
func (s *seen) returns(hosts []*host, numbers map[string]uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.fresh = numbers, map[string]bool{}
	for _, h := range hosts {
		r, there := s.records[h.name]
		if there && (r.Seq > numbers[h.name] || h.says(r)) {
			s.fresh[h.name] = true
		}
	}
}

// numbers are those of all records.
func (s *seen) numbers() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]uint64{}
	for host, r := range s.records {
		all[host] = r.Seq
	}
	return all
}

func (s *seen) record(host string) store.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[host]
}

// counts returns how many records there are, were put again as they were, and
// went.
func (s *seen) counts() (records, same, gone int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records), s.same, len(s.gone)
}

// back is how many hosts are fresh.
func (s *seen) back() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.fresh)
}

// span is when the first and the last record went, of those that went since.
func (s *seen) span(since time.Time) (first, last time.Time, count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := range maps.Values(s.gone) {
		if at.Before(since) {
			continue
		}
		count++
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last, count
}

// ports are the host ports of a record, by service.
func ports(r store.Record) string {
	all := map[string]uint16{}
	for _, m := range r.Mappings {
		all[m.Service] = m.HostPort
	}
	return fmt.Sprint(all)
}
