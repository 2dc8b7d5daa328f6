package images

import "sync"

// Stats are what the sweeper has done since the start.
type Stats struct {
	Images    int   // in the store when it was last looked at
	Unused    int   // of them, those that would go
	Frees     int64 // bytes that would become free
	Sweeps    uint64
	Removed   uint64
	Refused   uint64
	Lost      uint64
	Predicted int64  // bytes
	Freed     int64  // bytes
	Blind     string // why the last look was; empty if it was not
}

type counters struct {
	mu  sync.Mutex // guards now
	now Stats
}

// Stats returns the counters.
func (s *Sweeper) Stats() Stats {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	return s.stats.now
}

func (c *counters) planned(p Plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Blind = p.Blind
	if p.Blind != "" {
		return
	}
	c.now.Images = 0
	for _, d := range p.Decisions {
		if d.Kind == Image {
			c.now.Images++
		}
	}
	c.now.Unused, c.now.Frees = len(p.Removals()), p.Frees
}

func (c *counters) swept(r Report, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.DryRun {
		return
	}
	c.now.Sweeps++
	c.now.Removed += uint64(len(r.Removed))
	c.now.Refused += uint64(len(r.Refused))
	c.now.Lost += uint64(len(r.Lost))
	c.now.Predicted += r.Predicted
	c.now.Freed += r.Freed
}
