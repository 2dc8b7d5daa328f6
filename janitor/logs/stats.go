package logs

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats are totals since the sweeper was made, and what it holds now.
type Stats struct {
	Sweeps     map[string]uint64 // by result: ok, blind, planned, partial, failed
	Removed    uint64
	Restored   uint64
	Purged     uint64
	Refused    map[string]uint64 // by code
	Freed      int64             // bytes
	Held       int64             // bytes that restorable folders take
	Restorable int               // folders
	Hidden     int64             // processes whose open files could not be seen at the last look
	Blind      string            // why the last look may not be believed; empty if it may
}

// counters are the totals. They have a lock of their own, so that reading them
// never waits for a sweep.
type counters struct {
	hidden     atomic.Int64
	held       atomic.Int64
	restorable atomic.Int64
	mu         sync.Mutex // guards total
	total      Stats
}

func (c *counters) add(change func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.total.Sweeps == nil {
		c.total.Sweeps, c.total.Refused = map[string]uint64{}, map[string]uint64{}
	}
	change(&c.total)
}

// Stats returns the totals. It never waits for a sweep.
func (s *Sweeper) Stats() Stats {
	var t Stats
	s.stats.add(func(now *Stats) {
		t = *now
		t.Sweeps, t.Refused = maps.Clone(now.Sweeps), maps.Clone(now.Refused)
	})
	t.Hidden = s.stats.hidden.Load()
	t.Held, t.Restorable = s.stats.held.Load(), int(s.stats.restorable.Load())
	return t
}
