package embedded

import (
	"fmt"

	"github.com/berth-dev/berth/bridge/store"
)

// save brings what is known of key now into the file.
func (s *Store) save(key store.Key) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	e, rev := s.entries[key], s.history.rev
	var now *saved
	if e != nil {
		now = &saved{rev: e.rev, ttl: e.ttl, record: e.record}
	}
	s.mu.Unlock()
	if err := s.file.write(rev, key, now, s.all); err != nil {
		return fmt.Errorf("save record of host %s: %w", key.Host, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e != nil && s.entries[key] == e && e.ttl == now.ttl {
		e.unsaved = false
	}
	return nil
}

// all is everything that has to be in the file.
func (s *Store) all() map[store.Key]saved {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[store.Key]saved, len(s.entries))
	for key, e := range s.entries {
		all[key] = saved{rev: e.rev, ttl: e.ttl, record: e.record}
	}
	return all
}
