package logs

import (
	"context"
	"errors"
	"slices"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// A grave is a stone that is to be deleted, where it lies, and why now.
type grave struct {
	ground *ground
	yard   *tombstone.Yard
	stone  tombstone.Stone
	code   string
}

// graves returns what is due, oldest first: all of it if now is set.
func (s *Sweeper) graves(now bool) []grave {
	var all []grave
	for _, g := range s.ground {
		if g.yard == nil {
			continue
		}
		pressure, stones := s.pressure(g), g.yard.Stones()
		all = slices.Grow(all, len(stones))
		for _, stone := range stones {
			if !stone.Confirmed || stone.Orphan != "" || s.dying[place{g.yard, stone.Name}] {
				continue
			}
			switch {
			case now:
				all = append(all, grave{g, g.yard, stone, CodeOperator})
			case !s.now().Before(s.due(stone, NoPressure)):
				all = append(all, grave{g, g.yard, stone, CodeWindow})
			case !s.now().Before(s.due(stone, pressure)):
				all = append(all, grave{g, g.yard, stone, CodePressure})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b grave) int { return a.stone.Buried.Compare(b.stone.Buried) })
	return all
}

// A place is a stone in its yard.
type place struct {
	yard *tombstone.Yard
	name string
}

const (
	purgeStones = 1000   // at most are deleted after one look
	purgeFiles  = 20_000 // in them, and then no further stone: a fraction of a second
	relief      = 8      // stones, where it may be enough after any of them
)

// batch is how many of the graves are deleted after one look.
func batch(graves []grave) int {
	files := int64(0)
	for i, g := range graves {
		if files += g.stone.Files; g.stone.Files < 0 {
			files = purgeFiles // nobody knows
		}
		if i+1 == purgeStones || files >= purgeFiles || g.code == CodePressure && i+1 == relief {
			return i + 1
		}
	}
	return len(graves)
}

// expire deletes the stones that are due, all of them if now is set, after a
// last look at each batch (J5): who turned up gets its folder back, and whoever
// cannot see deletes nothing. What is due is asked anew before each batch,
// because where space was needed it may not be needed any more.
func (s *Sweeper) expire(ctx context.Context, now bool, by string, r *Report) error {
	var errs []error
	tried := map[string]bool{}
	for ctx.Err() == nil {
		graves := slices.DeleteFunc(s.graves(now), func(g grave) bool { return tried[g.stone.Name] })
		if len(graves) == 0 {
			break
		}
		graves = graves[:batch(graves)]
		last := s.witnesses(ctx, nil)
		if last.Blind != "" {
			for _, g := range s.graves(now) { // not again before long
				s.failed[g.stone.Name] = s.now().Add(blindRetry)
			}
			break
		}
		living := last.living()
		var dead []grave
		for _, g := range graves {
			tried[g.stone.Name] = true
			if reason := living.why(g.stone.Container); reason != "" && !g.stone.Purging {
				errs = append(errs, s.putBack(g, reason, r))
			} else {
				dead = append(dead, g)
			}
		}
		errs = append(errs, s.purge(ctx, dead, by, r))
	}
	return errors.Join(errs...)
}

func (s *Sweeper) putBack(g grave, reason string, r *Report) error {
	switch err := g.yard.Restore(g.stone); {
	case errors.Is(err, tombstone.ErrUnknown):
		return nil // it was restored meanwhile
	case err != nil:
		s.failed[g.stone.Name] = s.now().Add(purgeRetry)
		return err
	}
	out := g.outcome(CodeAlive, reason)
	r.Refused = append(r.Refused, out)
	s.tell("logs.restored", out)
	s.stats.add(func(t *Stats) { t.Restored++ })
	return s.write([]audit.Record{g.ground.record(audit.Restored, g.stone, CodeAlive, reason, "sweep")})
}

// purge deletes several stones at once. Meanwhile mu is free: that may take
// minutes, and nobody who asks shall wait for it. A stone that is restored, or
// whose root is closed, in that time is not there any more when its turn comes.
//
// The audit is told first (J6): a deletion that a crash cuts short, or that
// ends just before one, has its record.
func (s *Sweeper) purge(ctx context.Context, graves []grave, by string, r *Report) error {
	if err := s.write(purges(graves, by)); err != nil {
		return err
	}
	saver := s.archive()
	freed, failed := make([]int64, len(graves)), make([]error, len(graves))
	for _, g := range graves {
		s.dying[place{g.yard, g.stone.Name}] = true
	}
	s.mu.Unlock()
	if saver == nil { // what is to be archived can be read until then
		intend(graves)
	}
	each(len(graves), func(i int) {
		s.pace(ctx, graves[i])
		if failed[i] = s.save(ctx, saver, graves[i], by); failed[i] == nil {
			freed[i], failed[i] = graves[i].yard.Purge(ctx, graves[i].stone)
		}
	})
	s.mu.Lock()
	for _, g := range graves {
		delete(s.dying, place{g.yard, g.stone.Name})
	}
	s.rouse() // what failed has its time
	var records []audit.Record
	var errs []error
	for i, g := range graves {
		r.Freed += freed[i]
		s.stats.add(func(t *Stats) { t.Freed += freed[i] })
		if failed[i] != nil {
			errs = append(errs, s.left(ctx, g, failed[i]))
			records = append(records, g.ground.record(audit.Refused, g.stone, CodeFailed, failed[i].Error(), by))
			continue
		}
		s.purged(g, freed[i], r)
	}
	return errors.Join(append(errs, s.write(records))...)
}

// pace gives way to who needs the disk more, but not in an emergency.
func (s *Sweeper) pace(ctx context.Context, g grave) {
	if s.Pace != nil && s.pressure(g.ground) < Emergency {
		_ = s.Pace(ctx) // what ends it ends the purge as well
	}
}

// intend has the yards write all intents at once. Where that fails, each purge
// writes its own, or says why it cannot.
func intend(graves []grave) {
	of := map[*tombstone.Yard][]tombstone.Stone{}
	for _, g := range graves {
		of[g.yard] = append(of[g.yard], g.stone)
	}
	for yard, stones := range of {
		_ = yard.Intend(stones...)
	}
}

// purges are the records of stones that are about to be deleted.
func purges(graves []grave, by string) []audit.Record {
	records := make([]audit.Record, 0, len(graves))
	for _, g := range graves {
		out := g.purged()
		records = append(records, g.ground.record(audit.Purged, g.stone, out.Code, out.Reason, by))
	}
	return records
}

// purged is the outcome of a stone that is deleted.
func (g grave) purged() Outcome {
	return g.outcome(g.code, "it could be restored since "+clock(g.stone.Buried))
}

// left notes a stone that was not deleted, and returns why if that is a fault.
func (s *Sweeper) left(ctx context.Context, g grave, err error) error {
	for _, meanwhile := range []error{tombstone.ErrUnknown, tombstone.ErrClosed, tombstone.ErrPurging, ctx.Err()} {
		if meanwhile != nil && errors.Is(err, meanwhile) {
			return nil
		}
	}
	s.failed[g.stone.Name] = s.now().Add(purgeRetry)
	return err
}

func (s *Sweeper) purged(g grave, freed int64, r *Report) {
	delete(s.failed, g.stone.Name)
	out := g.purged()
	out.Bytes = freed
	r.Purged = append(r.Purged, out)
	s.tell("logs.purged", out)
	s.stats.add(func(t *Stats) { t.Purged++ })
}

func (g grave) outcome(code, reason string) Outcome {
	return Outcome{
		Path: g.ground.Path + "/" + g.stone.Rel, Root: g.ground.Path, Service: g.stone.Service, Container: g.stone.Container,
		Code: code, Reason: reason, Bytes: g.stone.Bytes, Files: g.stone.Files,
	}
}
