package embedded

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// Engine is the name of this kind of store.
const Engine = "embedded"

// Options are what can be set. The zero value is what the daemon uses.
type Options struct {
	Now  func() time.Time // wall clock for [store.Entry.Expires]; nil: time.Now
	Wait time.Duration    // for another process to let go of the file; 0: 1 s
}

// A Store is an open embedded store. It implements [store.Store].
type Store struct {
	wall func() time.Time
	done chan struct{} // closed by Close

	saving sync.Mutex // taken before mu; guards file
	file   *file

	mu      sync.Mutex // guards the fields below
	closed  bool
	entries map[store.Key]*entry
	history history
	changed chan struct{} // closed and replaced with every event
	expiry  *time.Timer   // runs expire at the first deadline
	work    sync.WaitGroup
}

// An entry is one record in memory.
type entry struct {
	record   store.Record
	rev      store.Rev
	ttl      time.Duration
	holder   *session  // who holds it; nil: it goes at the deadline
	deadline time.Time // monotonic
	unsaved  bool      // the file has an older one, or none
}

// revGap is by how much revisions jump with every Open: more than can have
// been given out without reaching the file.
const revGap = 1 << 16

// Open opens or makes the store in the file at path. It is ErrLocked if another
// process has it. A damaged file is no error: it is moved aside, and notice
// says so; else notice is empty.
func Open(path string, o Options) (s *Store, notice string, err error) {
	f, found, notice, err := openFile(path, cmp.Or(o.Wait, time.Second))
	if err != nil {
		return nil, "", fmt.Errorf("open store %s: %w", path, err)
	}
	s = &Store{
		wall: o.Now, file: f, entries: map[store.Key]*entry{}, done: make(chan struct{}),
		history: history{rev: found.rev + revGap}, changed: make(chan struct{}),
	}
	if s.wall == nil {
		s.wall = time.Now
	}
	now := time.Now()
	for key, r := range found.records {
		s.entries[key] = &entry{record: r.record, rev: r.rev, ttl: r.ttl, deadline: now.Add(r.ttl)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expiry = time.AfterFunc(time.Hour, s.expire)
	s.arm()
	return s, notice, nil
}

// Engine implements [store.Store].
func (s *Store) Engine() string { return Engine }

// Open implements [store.Store].
func (s *Store) Open(ctx context.Context, key store.Key, ttl time.Duration) (store.Session, error) {
	if err := cmp.Or(ctx.Err(), key.Check()); err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	if ttl <= 0 {
		return nil, fmt.Errorf("open session: a TTL of %s is not above zero", ttl)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("open session: %w", store.ErrClosed)
	}
	return newSession(s, key, ttl), nil
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, cluster string) (store.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := ctx.Err()
	if s.closed {
		err = store.ErrClosed
	}
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("list records of cluster %s: %w", cluster, err)
	}
	return s.snapshot(cluster), nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.expiry.Stop()
	close(s.done)
	s.mu.Unlock()
	s.work.Wait()

	s.saving.Lock()
	defer s.saving.Unlock()
	return s.file.close()
}

// snapshot is the content of one cluster. mu is held.
func (s *Store) snapshot(cluster string) store.Snapshot {
	shot := store.Snapshot{Rev: s.history.rev}
	for key, e := range s.entries {
		if key.Cluster == cluster {
			shot.Entries = append(shot.Entries, s.entry(key, e))
		}
	}
	slices.SortFunc(shot.Entries, func(a, b store.Entry) int { return cmp.Compare(a.Key.Host, b.Key.Host) })
	return shot
}

// entry is how readers see an entry. mu is held.
func (s *Store) entry(key store.Key, e *entry) store.Entry {
	left := e.ttl
	if e.holder == nil {
		left = max(0, time.Until(e.deadline))
	}
	return store.Entry{Key: key, Rev: e.rev, Expires: s.wall().Add(left), Record: e.record}
}

// put makes e the entry of key and tells the watchers. mu is held.
func (s *Store) put(key store.Key, e *entry) {
	e.rev, e.unsaved = s.history.next(), true
	s.entries[key] = e
	s.tell(store.Event{Kind: store.Put, Rev: e.rev, Entry: s.entry(key, e)})
}

// remove takes the entry of key away and tells the watchers. mu is held.
func (s *Store) remove(key store.Key, cause store.Cause) {
	e := s.entries[key]
	gone := s.entry(key, e)
	delete(s.entries, key)
	s.tell(store.Event{Kind: store.Gone, Rev: s.history.next(), Entry: gone, Cause: cause})
}

// tell adds an event to the history and wakes the watchers. mu is held.
func (s *Store) tell(e store.Event) {
	s.history.add(e)
	close(s.changed)
	s.changed = make(chan struct{})
}
