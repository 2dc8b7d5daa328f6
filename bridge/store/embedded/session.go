package embedded

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// A session is one host's hold on its record. The store's mu guards the fields
// that change.
type session struct {
	of    *Store
	key   store.Key
	ttl   time.Duration
	found *store.Record

	closed      bool
	incarnation string        // of what this session published last
	lost        chan struct{} // closed when the hold is lost
	isLost      bool
}

// newSession begins a session. mu is held.
func newSession(of *Store, key store.Key, ttl time.Duration) *session {
	s := &session{of: of, key: key, ttl: ttl, lost: make(chan struct{})}
	if e := of.entries[key]; e != nil {
		found := e.record
		s.found = &found
	}
	return s
}

// Found implements [store.Session].
func (s *session) Found() (store.Record, bool) {
	if s.found == nil {
		return store.Record{}, false
	}
	return *s.found, true
}

// Publish implements [store.Session]. An error of the file is reported after
// the record has been put in force: it is in memory, where all readers look.
func (s *session) Publish(ctx context.Context, r store.Record) error {
	if _, err := store.Encode(r); cmp.Or(err, ctx.Err()) != nil {
		return fmt.Errorf("publish record of host %s: %w", s.key.Host, cmp.Or(err, ctx.Err()))
	}
	if r.Key() != s.key {
		return fmt.Errorf("publish record of host %s: it belongs to %s", s.key.Host, r.Key())
	}
	unsaved, err := s.take(r)
	if err != nil {
		return fmt.Errorf("publish record of host %s: %w", s.key.Host, err)
	}
	if unsaved {
		return s.of.save(s.key)
	}
	return nil
}

// take puts the record in force, holds it, and reports whether the file has to
// learn of it.
func (s *session) take(r store.Record) (unsaved bool, err error) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if s.closed || s.of.closed {
		return false, store.ErrClosed
	}
	e := s.of.entries[s.key]
	same := e != nil && r.Same(e.record)
	if e != nil && !same && !r.Ahead(e.record) {
		return false, fmt.Errorf("%w: incarnation %s, number %d", store.ErrFenced, e.record.Incarnation, e.record.Seq)
	}
	if e != nil && e.holder != nil && e.holder != s {
		e.holder.lose()
	}
	s.incarnation = r.Incarnation
	if s.isLost {
		s.lost, s.isLost = make(chan struct{}), false
	}
	if same {
		e.unsaved = e.unsaved || e.ttl != s.ttl
		e.ttl, e.holder = s.ttl, s
	} else {
		e = &entry{record: r, ttl: s.ttl, holder: s}
		s.of.put(s.key, e)
	}
	s.of.arm()
	return e.unsaved, nil
}

// Withdraw implements [store.Session].
func (s *session) Withdraw(ctx context.Context) error {
	removed, err := false, ctx.Err()
	if err == nil {
		removed, err = s.drop()
	}
	if err != nil {
		return fmt.Errorf("withdraw record of host %s: %w", s.key.Host, err)
	}
	if removed {
		return s.of.save(s.key)
	}
	return nil
}

// drop removes the record if it is this session's.
func (s *session) drop() (removed bool, err error) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	e := s.of.entries[s.key]
	switch {
	case s.closed || s.of.closed:
		return false, store.ErrClosed
	case s.incarnation == "" || e == nil:
		return false, nil
	case e.record.Incarnation != s.incarnation:
		return false, store.ErrFenced
	}
	if e.holder != nil && e.holder != s {
		e.holder.lose()
	}
	s.of.remove(s.key, store.Withdrawn)
	s.of.arm()
	return true, nil
}

// Lost implements [store.Session].
func (s *session) Lost() <-chan struct{} {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	return s.lost
}

// Close implements [store.Session].
func (s *session) Close() error {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if e := s.of.entries[s.key]; e != nil && e.holder == s && !s.of.closed {
		e.holder, e.deadline = nil, time.Now().Add(e.ttl)
		s.of.arm()
	}
	return nil
}

// lose tells the session's owner that it no longer holds its record. mu is held.
func (s *session) lose() {
	if !s.isLost {
		s.isLost = true
		close(s.lost)
	}
}
