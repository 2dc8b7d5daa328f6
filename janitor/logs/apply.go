package logs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// A burial is a folder in the yard whose fate is open.
type burial struct {
	decision Decision
	ground   *ground
	stone    tombstone.Stone
}

// apply buries the chosen folders, looks again, and confirms or puts back. The
// stones carry the hash of the plan that was asked for, if one was.
func (s *Sweeper) apply(ctx context.Context, chosen []Decision, r *Report, o Options) error {
	if len(chosen) == 0 {
		return nil
	}
	hash := cmp.Or(o.Plan, r.Plan.Hash())
	var buried []burial
	began := time.Now()
	for _, d := range chosen {
		g := s.on(d.Root)
		if limit := s.Policy.Limit.Time; limit > 0 && !o.Unlimited && time.Since(began) > limit {
			r.Refused = append(r.Refused, d.outcome(CodeLimited, fmt.Sprintf("one sweep takes %v", limit)))
			continue
		}
		if g == nil || ctx.Err() != nil {
			r.Refused = append(r.Refused, d.outcome(CodeFailed, "the sweep ended before it"))
			continue
		}
		stone, err := g.yard.Bury(tombstone.Folder{
			Rel: d.Rel, Service: d.Service, Container: d.Name, Identity: d.Identity, Bytes: d.Bytes, Files: d.Files,
		}, hash, s.now())
		switch {
		case errors.Is(err, tombstone.ErrSwapped):
			r.Refused = append(r.Refused, d.outcome(CodeSwapped, err.Error()))
		case err != nil:
			r.Refused = append(r.Refused, d.outcome(CodeFailed, err.Error()))
		default:
			buried = append(buried, burial{d, g, stone})
		}
	}
	return s.verify(ctx, buried, r, hash, o.By)
}

// verify is the second look (J5): each witness is asked again, now that no
// container can reach the folders, and who turned up gets its folder back.
// Only when that is in the audit are the rest confirmed (J6).
func (s *Sweeper) verify(ctx context.Context, buried []burial, r *Report, hash, by string) error {
	stay, err := s.lookAgain(ctx, buried, r)
	records := refusals(r.Refused, hash, by)
	for _, b := range stay {
		records = append(records, b.ground.record(audit.Removed, b.stone, b.decision.Code, b.decision.Reason, by))
	}
	told := len(r.Refused) // those of a failing confirm come after
	if failed := s.write(records); failed != nil {
		for _, b := range stay {
			err = errors.Join(err, b.takeBack(CodeFailed, failed.Error(), r))
		}
		err = errors.Join(err, failed)
	} else {
		err = errors.Join(err, s.confirm(stay, r), s.write(refusals(r.Refused[told:], hash, by)))
	}
	for _, o := range r.Refused {
		s.tell("logs.refused", o)
	}
	s.rouse()
	return err
}

// lookAgain returns who stays buried.
func (s *Sweeper) lookAgain(ctx context.Context, buried []burial, r *Report) (stay []burial, err error) {
	if len(buried) == 0 {
		return nil, nil
	}
	names := make([]string, len(buried))
	for i, b := range buried {
		names[i] = b.decision.Name
	}
	again := s.witnesses(ctx, names)
	living := again.living()
	for _, b := range buried {
		code, reason := CodeAlive, living.why(b.decision.Name)
		if reason == "" {
			code, reason = CodeBlind, again.Blind
		}
		if reason == "" {
			stay = append(stay, b)
			continue
		}
		err = errors.Join(err, b.takeBack(code, reason, r))
	}
	return stay, err
}

// takeBack puts a folder back into its place. Where that is taken by now, the
// folder stays in the yard, is not purged, and goes back later: see settle.
func (b burial) takeBack(code, reason string, r *Report) error {
	err := b.ground.yard.Restore(b.stone)
	if err != nil {
		code, reason = CodeFailed, reason+", and it cannot go back yet: "+err.Error()
	}
	r.Refused = append(r.Refused, b.decision.outcome(code, reason))
	return err
}

// confirm makes what stays purgeable: all of a root or, with an error, none.
func (s *Sweeper) confirm(stay []burial, r *Report) error {
	of := map[*ground][]tombstone.Stone{}
	for _, b := range stay {
		of[b.ground] = append(of[b.ground], b.stone)
	}
	var errs []error
	failed := map[*ground]error{}
	for g, stones := range of {
		if err := g.yard.Confirm(stones...); err != nil {
			failed[g] = err
			errs = append(errs, err)
		}
	}
	for _, b := range stay {
		if err := failed[b.ground]; err != nil {
			errs = append(errs, b.takeBack(CodeFailed, err.Error(), r))
			continue
		}
		out := b.decision.outcome(b.decision.Code, b.decision.Reason)
		out.Until = b.stone.Buried.Add(s.Undo)
		r.Removed = append(r.Removed, out)
		s.tell("logs.removed", out)
	}
	return errors.Join(errs...)
}

// settle puts back what a sweep could neither confirm nor put back, because
// its place was taken. The caller holds mu, so no sweep is between the two.
func (s *Sweeper) settle() error {
	var errs []error
	for _, g := range s.ground {
		if g.yard == nil {
			continue
		}
		for _, stone := range g.yard.Stones() {
			if stone.Confirmed || stone.Purging || stone.Rel == "" || g.yard.Restore(stone) != nil {
				continue
			}
			out := grave{g, g.yard, stone, CodeAlive}.outcome(CodeAlive, "its place is free again")
			s.tell("logs.restored", out)
			errs = append(errs, s.write([]audit.Record{g.record(audit.Restored, stone, out.Code, out.Reason, "sweep")}))
		}
	}
	return errors.Join(errs...)
}

func refusals(refused []Outcome, hash, by string) []audit.Record {
	var all []audit.Record
	for _, o := range refused {
		all = append(all, audit.Record{
			Action: audit.Refused, Path: o.Path, Service: o.Service, Container: o.Container,
			Plan: hash, Code: o.Code, Reason: o.Reason, By: by,
		})
	}
	return all
}

func (d Decision) outcome(code, reason string) Outcome {
	return Outcome{
		Path: d.Path(), Root: d.Root, Service: d.Service, Container: d.Name,
		Code: code, Reason: reason, Bytes: d.Bytes, Files: d.Files,
	}
}

func (s *Sweeper) tell(kind string, o Outcome) {
	s.Log.Info("log folder", "action", kind, "folder", o.Path, "container", o.Container, "code", o.Code, "reason", o.Reason)
	s.notify(Event{Type: kind, Folder: o.Path, Service: o.Service, Container: o.Container, Message: o.Reason, Bytes: max(o.Bytes, 0)})
}
