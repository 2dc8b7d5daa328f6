package logs

import (
	"context"
	"errors"
	"time"

	"github.com/berth-dev/berth/janitor/tombstone"
)

// How long a stone is left alone that could not be deleted, and one that
// nobody could look for.
const (
	purgeRetry = time.Hour
	blindRetry = time.Minute
)

// Run recovers every root and then deletes removed folders as their undo
// window ends. It sleeps until the next one does.
func (s *Sweeper) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.wake == nil {
		s.wake = make(chan struct{}, 1)
	}
	s.open()
	s.tally()
	s.mu.Unlock()
	for {
		timer := time.NewTimer(s.untilNext())
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.wake:
		case <-timer.C:
			s.expireDue(ctx)
		}
		timer.Stop()
	}
}

// rouse makes Run look at the stones anew.
func (s *Sweeper) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // it has been told, or does not run
	}
}

// untilNext is how long the next stone can still be restored.
func (s *Sweeper) untilNext() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := 24 * time.Hour
	for _, g := range s.ground {
		if g.yard == nil {
			continue
		}
		pressure := s.pressure(g)
		for _, stone := range g.yard.Stones() {
			if stone.Orphan == "" && stone.Confirmed && !s.dying[place{g.yard, stone.Name}] {
				wait = min(wait, max(s.due(stone, pressure).Sub(s.now()), time.Second/10))
			}
		}
	}
	return wait
}

// due is when a stone is to be deleted under a pressure.
func (s *Sweeper) due(stone tombstone.Stone, p Pressure) time.Time {
	due := stone.Buried.Add(s.window(p))
	if retry := s.failed[stone.Name]; retry.After(due) {
		return retry
	}
	return due
}

func (s *Sweeper) expireDue(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
	var r Report
	if err := errors.Join(s.settle(), s.expire(ctx, false, "schedule", &r)); err != nil {
		s.Log.Warn("delete removed folders", "err", err)
	}
	s.tally()
}
