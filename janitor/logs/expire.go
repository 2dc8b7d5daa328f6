package logs

import (
	"context"
	"errors"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// purgeRetry is how long a stone that could not be deleted is left alone.
const purgeRetry = time.Hour

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
		for _, stone := range g.yard.Stones() {
			if stone.Orphan == "" && stone.Confirmed {
				wait = min(wait, max(s.due(stone).Sub(s.now()), time.Second/10))
			}
		}
	}
	return wait
}

// due is when a stone is to be deleted.
func (s *Sweeper) due(stone tombstone.Stone) time.Time {
	due := stone.Buried.Add(s.Undo)
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
	if err := s.expire(ctx, false, &r); err != nil {
		s.Log.Warn("delete removed folders", "err", err)
	}
	s.tally()
}

// A grave is a stone that is to be deleted, and where it lies.
type grave struct {
	ground *ground
	stone  tombstone.Stone
}

func (s *Sweeper) graves(now bool) []grave {
	var all []grave
	for _, g := range s.ground {
		if g.yard == nil {
			continue
		}
		for _, stone := range g.yard.Stones() {
			if stone.Confirmed && stone.Orphan == "" && (now || !s.now().Before(s.due(stone))) {
				all = append(all, grave{g, stone})
			}
		}
	}
	return all
}

// expire deletes the stones that are due, all of them if now is set, after a
// last look: who turned up gets its folder back, and whoever cannot see
// deletes nothing.
func (s *Sweeper) expire(ctx context.Context, now bool, r *Report) error {
	graves := s.graves(now)
	if len(graves) == 0 {
		return nil
	}
	last := s.witnesses(ctx)
	if last.Blind != "" {
		for _, g := range graves { // not again before long
			s.failed[g.stone.Name] = s.now().Add(time.Minute)
		}
		return nil
	}
	var errs []error
	for _, g := range graves {
		if reason := last.aliveAgain(g.stone.Container); reason != "" && !g.stone.Purging {
			errs = append(errs, s.putBack(g, reason, r))
			continue
		}
		errs = append(errs, s.purge(ctx, g, r))
	}
	return errors.Join(errs...)
}

func (s *Sweeper) putBack(g grave, reason string, r *Report) error {
	if err := g.ground.yard.Restore(g.stone); err != nil {
		s.failed[g.stone.Name] = s.now().Add(purgeRetry)
		return err
	}
	out := g.outcome(CodeAlive, reason)
	r.Refused = append(r.Refused, out)
	s.tell("logs.restored", out)
	s.stats.add(func(t *Stats) { t.Restored++ })
	return s.write([]audit.Record{g.ground.record(audit.Restored, g.stone, CodeAlive, reason, "sweep")})
}

func (s *Sweeper) purge(ctx context.Context, g grave, r *Report) error {
	freed, err := g.ground.yard.Purge(ctx, g.stone)
	r.Freed += freed
	s.stats.add(func(t *Stats) { t.Freed += freed })
	if err != nil {
		if ctx.Err() == nil {
			s.failed[g.stone.Name] = s.now().Add(purgeRetry)
		}
		return err
	}
	delete(s.failed, g.stone.Name)
	out := g.outcome(CodeWindow, "it could be restored since "+clock(g.stone.Buried))
	out.Bytes = freed
	r.Purged = append(r.Purged, out)
	s.tell("logs.purged", out)
	s.stats.add(func(t *Stats) { t.Purged++ })
	record := g.ground.record(audit.Purged, g.stone, out.Code, out.Reason, "sweep")
	record.Bytes = freed
	return s.write([]audit.Record{record})
}

func (g grave) outcome(code, reason string) Outcome {
	return Outcome{
		Path: g.ground.Path + "/" + g.stone.Rel, Root: g.ground.Path, Service: g.stone.Service, Container: g.stone.Container,
		Code: code, Reason: reason, Bytes: g.stone.Bytes, Files: g.stone.Files,
	}
}
