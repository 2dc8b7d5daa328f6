package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// Options say what a sweep may do.
type Options struct {
	Plan   string // apply only what the plan with this hash names; empty: what is planned now
	DryRun bool   // plan only
	Purge  bool   // do not wait for the undo window
	By     string // who asked, for the audit
}

// An Outcome is what became of one folder.
type Outcome struct {
	Path      string
	Root      string
	Service   string
	Container string
	Code      string
	Reason    string
	Bytes     int64     // -1: not measured
	Files     int64     // -1: not measured
	Until     time.Time // when it is purged, for what was removed
}

// A Report is what a sweep did.
type Report struct {
	Plan     Plan
	DryRun   bool
	Removed  []Outcome // out of reach, and restorable until Until
	Purged   []Outcome // deleted for good
	Refused  []Outcome // planned, and kept after all
	Freed    int64     // bytes
	Duration time.Duration
}

// Result sums a report up: ok, blind, or partial.
func (r Report) Result() string {
	switch {
	case r.Plan.Blind != "":
		return "blind"
	case len(r.Refused) > 0:
		return "partial"
	default:
		return "ok"
	}
}

// ErrUnknownPlan is a hash that none of the last plans has.
var ErrUnknownPlan = errors.New("no plan of late has this hash: plan again")

// maxPlans is how many plans can be applied by their hash.
const maxPlans = 16

// Plan returns what a sweep would do now.
func (s *Sweeper) Plan(ctx context.Context) Plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plan(ctx)
}

func (s *Sweeper) plan(ctx context.Context) Plan {
	p := MakePlan(s.look(ctx), s.Policy, s.now())
	s.plans = append(s.plans, p)
	s.plans = s.plans[max(0, len(s.plans)-maxPlans):]
	s.stats.add(func(t *Stats) { t.Blind = p.Blind })
	return p
}

// Sweep plans and applies, and then deletes what could be restored for long
// enough. What it does is a subset of the plan it returns (J6).
func (s *Sweeper) Sweep(ctx context.Context, o Options) (Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	began := time.Now()
	r := Report{DryRun: o.DryRun}
	named, err := s.named(o.Plan)
	if err != nil {
		return r, err
	}
	r.Plan = s.plan(ctx)
	if o.DryRun {
		r.Duration = time.Since(began)
		return r, nil
	}
	chosen := r.Plan.Removals()
	if o.Plan != "" {
		chosen = slices.DeleteFunc(chosen, func(d Decision) bool { return !named[keyOf(d)] })
	}
	err = errors.Join(s.kept(r.Plan, o.By), s.apply(ctx, chosen, &r, o))
	if r.Plan.Blind == "" {
		err = errors.Join(err, s.expire(ctx, o.Purge, &r))
	}
	r.Duration = time.Since(began)
	s.tally()
	s.count(r, err)
	return r, err
}

// A key is a folder that a plan named: another that took its place is not
// meant.
type key struct {
	path string
	ino  uint64
}

func keyOf(d Decision) key { return key{d.Path(), d.Identity.Ino} }

// named returns what the plan with this hash removes. An empty hash names
// nothing.
func (s *Sweeper) named(hash string) (map[key]bool, error) {
	if hash == "" {
		return nil, nil
	}
	i := slices.IndexFunc(s.plans, func(p Plan) bool { return p.Hash() == hash })
	if i < 0 {
		return nil, fmt.Errorf("plan %s: %w", hash, ErrUnknownPlan)
	}
	named := map[key]bool{}
	for _, d := range s.plans[i].Removals() {
		named[keyOf(d)] = true
	}
	return named, nil
}

// A burial is a folder in the yard whose fate is open.
type burial struct {
	decision Decision
	ground   *ground
	stone    tombstone.Stone
}

// apply buries the chosen folders, looks again, and confirms or puts back.
func (s *Sweeper) apply(ctx context.Context, chosen []Decision, r *Report, o Options) error {
	if len(chosen) == 0 {
		return nil
	}
	hash := r.Plan.Hash()
	var buried []burial
	for _, d := range chosen {
		g := s.on(d.Root)
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
	return s.verify(ctx, buried, r, o, hash)
}

// verify is the second look (J5): each witness is asked again, now that no
// container can reach the folders, and who turned up gets its folder back.
// Only when that is in the audit are the rest confirmed.
func (s *Sweeper) verify(ctx context.Context, buried []burial, r *Report, o Options, hash string) error {
	var stay []burial
	var errs []error
	if len(buried) > 0 {
		again := s.witnesses(ctx)
		for _, b := range buried {
			code, reason := CodeAlive, again.aliveAgain(b.decision.Name)
			if again.Blind != "" && reason == "" {
				code, reason = CodeBlind, again.Blind
			}
			if reason == "" {
				stay = append(stay, b)
				continue
			}
			errs = append(errs, b.ground.yard.Restore(b.stone))
			r.Refused = append(r.Refused, b.decision.outcome(code, reason))
		}
	}
	if err := s.write(s.records(stay, r.Refused, hash, o.By)); err != nil {
		for _, b := range stay {
			errs = append(errs, b.ground.yard.Restore(b.stone))
			r.Refused = append(r.Refused, b.decision.outcome(CodeFailed, err.Error()))
		}
		return errors.Join(append(errs, err)...)
	}
	for _, b := range stay {
		if err := b.ground.yard.Confirm(b.stone); err != nil {
			errs = append(errs, err, b.ground.yard.Restore(b.stone))
			r.Refused = append(r.Refused, b.decision.outcome(CodeFailed, err.Error()))
			continue
		}
		out := b.decision.outcome(b.decision.Code, b.decision.Reason)
		out.Until = b.stone.Buried.Add(s.Undo)
		r.Removed = append(r.Removed, out)
		s.tell("logs.removed", out)
	}
	s.rouse()
	return errors.Join(errs...)
}

func (s *Sweeper) records(stay []burial, refused []Outcome, hash, by string) []audit.Record {
	var all []audit.Record
	for _, b := range stay {
		all = append(all, b.ground.record(audit.Removed, b.stone, b.decision.Code, b.decision.Reason, by))
	}
	for _, o := range refused {
		all = append(all, audit.Record{
			Action: audit.Refused, Path: o.Path, Service: o.Service, Container: o.Container,
			Plan: hash, Code: o.Code, Reason: o.Reason, By: by,
		})
		s.tell("logs.refused", o)
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

// kept puts into the audit why folders are kept, where that is not why they
// were kept before, and that a sweep was blind, where the last one was not.
func (s *Sweeper) kept(p Plan, by string) error {
	var all []audit.Record
	codes := make(map[string]string, len(p.Decisions))
	for _, d := range p.Decisions {
		if d.Verdict == Remove || d.Code == CodeBlind {
			continue
		}
		codes[d.Path()] = d.Code
		if s.codes[d.Path()] != d.Code {
			all = append(all, audit.Record{
				Action: audit.Kept, Path: d.Path(), Service: d.Service, Container: d.Name, Code: d.Code, Reason: d.Reason, By: by,
			})
		}
	}
	if p.Blind != "" && s.codes[""] != p.Blind {
		all = append(all, audit.Record{Action: audit.Blind, Code: CodeBlind, Reason: p.Blind, By: by})
		s.Log.Warn("sweep is blind", "err", p.Blind)
		s.notify(Event{Type: "logs.blind", Message: p.Blind})
	}
	codes[""] = p.Blind
	s.codes = codes
	return s.write(all)
}

func (s *Sweeper) count(r Report, err error) {
	result := r.Result()
	if err != nil {
		result = "failed"
	}
	s.stats.add(func(t *Stats) {
		t.Sweeps[result]++
		t.Removed += uint64(len(r.Removed))
		for _, o := range r.Refused {
			t.Refused[o.Code]++
		}
	})
	s.Log.Info("swept log folders", "result", result, "removed", len(r.Removed), "purged", len(r.Purged),
		"refused", len(r.Refused), "freed_bytes", r.Freed, "took", r.Duration)
}
