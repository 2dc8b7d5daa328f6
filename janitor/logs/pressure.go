package logs

import (
	"context"
	"time"
)

// Pressure is how short of space the file system of a root is.
type Pressure int

// The pressures, each worse than the one before.
const (
	NoPressure Pressure = iota
	Soon                // it will be full before long: what was removed can be restored for a quarter of the time
	High                // it is nearly full: what was removed goes now, and dead folders are not retained
	Emergency           // it is full: nor are there limits, archives and pauses
)

// pressure asks how short of space a root is.
func (s *Sweeper) pressure(g *ground) Pressure {
	if s.Pressure == nil {
		return NoPressure
	}
	return s.Pressure(g.Path)
}

// window is how long what was removed can be restored under a pressure.
func (s *Sweeper) window(p Pressure) time.Duration {
	switch {
	case p >= High:
		return 0
	case p == Soon:
		return s.Undo / 4
	}
	return s.Undo
}

// relieve makes room before anything else where the disk is full: what was
// removed earlier needs no plan.
func (s *Sweeper) relieve(ctx context.Context, by string, r *Report) error {
	for _, g := range s.ground {
		if s.pressure(g) >= Emergency {
			return s.expire(ctx, false, by, r)
		}
	}
	return nil
}

// Relieve makes Run look at once at what can be deleted. It is for whoever
// knows that the pressure has changed.
func (s *Sweeper) Relieve() { s.rouse() }
