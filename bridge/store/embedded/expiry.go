package embedded

import (
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// expire removes the records whose time is up.
func (s *Store) expire() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.work.Add(1)
	defer s.work.Done()
	var gone []store.Key
	for key, e := range s.entries {
		if e.holder == nil && time.Until(e.deadline) <= 0 {
			gone = append(gone, key)
		}
	}
	for _, key := range gone {
		s.remove(key, store.Expired)
	}
	s.arm()
	s.mu.Unlock()
	for _, key := range gone {
		_ = s.save(key) // at worst the file still has it, and it expires once more
	}
}

// arm sets the timer to the first deadline. mu is held.
func (s *Store) arm() {
	var first time.Time
	for _, e := range s.entries {
		if e.holder == nil && (first.IsZero() || e.deadline.Before(first)) {
			first = e.deadline
		}
	}
	if first.IsZero() {
		s.expiry.Stop()
		return
	}
	s.expiry.Reset(max(0, time.Until(first)))
}
