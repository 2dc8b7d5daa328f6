package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
)

// Options say what a sweep may do.
type Options struct {
	Plan      string // apply only what the plan with this hash names; empty: what is planned now
	Unlimited bool   // lift the limits of one sweep
	Scheduled bool   // nobody asked for it: in the first time on a host it only plans
	DryRun    bool   // plan only
	Purge     bool   // do not wait for the undo window
	By        string // who asked, for the audit
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
	First    time.Time // when the first scheduled sweep may remove something; zero: it may now
	Removed  []Outcome // out of reach, and restorable until Until
	Purged   []Outcome // deleted for good
	Refused  []Outcome // planned, and kept after all
	Freed    int64     // bytes
	Duration time.Duration
}

// Result sums a report up: ok, blind, planned, or partial.
func (r Report) Result() string {
	switch {
	case r.Plan.Blind != "":
		return "blind"
	case !r.First.IsZero():
		return "planned"
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
	return s.plan(ctx, false)
}

// PlanUnlimited returns what a sweep without limits would do now.
func (s *Sweeper) PlanUnlimited(ctx context.Context) Plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plan(ctx, true)
}

// Folders returns the plan with the size of every folder, of those of living
// containers as well.
func (s *Sweeper) Folders(ctx context.Context) Plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return MakePlan(s.look(ctx, func(Folder) bool { return true }, everything), s.Policy, s.now())
}

func (s *Sweeper) plan(ctx context.Context, unlimited bool) Plan {
	policy := s.Policy
	if unlimited {
		policy.Limit = Limit{}
	}
	p := MakePlan(s.look(ctx, func(Folder) bool { return true }, candidates), policy, s.now())
	s.remember(p)
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
	if o.Scheduled {
		r.First = s.FirstSweep()
	}
	if !o.DryRun {
		err = errors.Join(s.settle(), s.relieve(ctx, o.By, &r))
	}
	r.Plan = s.plan(ctx, o.Unlimited || named != nil && named.unlimited)
	if o.DryRun || !r.First.IsZero() {
		err = errors.Join(err, s.announce(r, o))
		r.Duration = time.Since(began)
		return r, err
	}
	chosen := r.Plan.Removals()
	if named != nil {
		chosen = slices.DeleteFunc(chosen, func(d Decision) bool { return !named.folders[keyOf(d)] })
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

// A choice is what an earlier plan removes.
type choice struct {
	hash      string
	folders   map[key]bool
	unlimited bool
}

// remember keeps of a plan what is needed to apply it later.
func (s *Sweeper) remember(p Plan) {
	c := choice{hash: p.Hash(), folders: map[key]bool{}, unlimited: p.Unlimited}
	for _, d := range p.Removals() {
		c.folders[keyOf(d)] = true
	}
	s.plans = append(s.plans, c)
	s.plans = s.plans[max(0, len(s.plans)-maxPlans):]
}

// named returns what the plan with this hash removes; nil for an empty hash.
func (s *Sweeper) named(hash string) (*choice, error) {
	if hash == "" {
		return nil, nil
	}
	i := slices.IndexFunc(s.plans, func(c choice) bool { return c.hash == hash })
	if i < 0 {
		return nil, fmt.Errorf("plan %s: %w", hash, ErrUnknownPlan)
	}
	return &s.plans[i], nil
}

// FirstSweep is when scheduled sweeps begin to remove; zero: they do already.
// Until then whoever installed Berth can see what it is going to do.
func (s *Sweeper) FirstSweep() time.Time {
	if at := s.Ledger.View().Made.Add(s.First); s.now().Before(at) {
		return at
	}
	return time.Time{}
}

// announce tells what the first sweeps on a host would have removed.
func (s *Sweeper) announce(r Report, o Options) error {
	doomed := r.Plan.Removals()
	if r.First.IsZero() || len(doomed) == 0 {
		return nil
	}
	size := int64(0)
	for _, d := range doomed {
		size += d.Bytes
	}
	reason := fmt.Sprintf("%d folders of %d bytes would go; until %s scheduled sweeps only plan", len(doomed), size, clock(r.First))
	s.Log.Info("planned the sweep of log folders", "plan", r.Plan.Hash(), "reason", reason)
	s.notify(Event{Type: "logs.planned", Message: reason, Bytes: size})
	return s.write([]audit.Record{{Action: audit.Planned, Plan: r.Plan.Hash(), Code: CodeLimited, Reason: reason, Bytes: size, By: o.By}})
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
