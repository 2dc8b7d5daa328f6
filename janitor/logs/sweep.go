package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
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
	p := MakePlan(s.look(ctx, func(Folder) bool { return true }), s.Policy, s.now())
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
	s.open()
	if !o.DryRun {
		err = s.settle()
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
	err = errors.Join(err, s.kept(r.Plan, o.By), s.apply(ctx, chosen, &r, o))
	if r.Plan.Blind == "" {
		err = errors.Join(err, s.expire(ctx, o.Purge, o.By, &r))
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
