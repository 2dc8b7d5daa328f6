package relay

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// A Plan is how much is measured.
type Plan struct {
	Rounds   int           // of each variant
	Span     time.Duration // of each round
	Variants []string      // empty: all
	Loads    []string      // 20k, 100k, 1400, 64, flood, ladder; empty: all
	Profiles string        // folder for CPU profiles of our relay: the last round of each; empty: none
	Progress io.Writer
}

func (p Plan) wants(load string) bool { return len(p.Loads) == 0 || slices.Contains(p.Loads, load) }

// A Result is what all rounds of a load have shown of a variant.
type Result struct {
	Variant string
	Load    string
	Samples []Sample
	Rate    float64 // of the ladder alone: datagrams a second without loss, the median
}

// Of is the median of what is taken from the samples.
func (r Result) Of(value func(Sample) float64) float64 {
	if len(r.Samples) == 0 {
		return 0
	}
	all := make([]float64, len(r.Samples))
	for n, s := range r.Samples {
		all[n] = value(s)
	}
	return median(all)
}

func median[T cmp.Ordered](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}

// Results are all that was measured, and why some was not.
type Results struct {
	All   []Result
	Fault string
}

// Of returns what a load has shown of a variant.
func (r Results) Of(load, variant string) (Result, bool) {
	n := slices.IndexFunc(r.All, func(one Result) bool { return one.Load == load && one.Variant == variant })
	if n < 0 {
		return Result{}, false
	}
	return r.All[n], true
}

// Measure measures all of a plan.
func (r *Rig) Measure(ctx context.Context, p Plan) (Results, error) {
	if r.profiles = p.Profiles; fetched(p.Variants) {
		r.peers = fetch(ctx, r.dir)
	}
	variants := named(r.variants(), p.Variants)
	found := Results{Fault: r.peers.fault}
	for _, l := range []Load{steady(), bursts(), large(), many(), flood()} {
		if !p.wants(l.Name) {
			continue
		}
		l.Span = p.Span
		some, err := r.turns(ctx, variants, l, p)
		if err != nil {
			return found, err
		}
		found.All = append(found.All, some...)
	}
	if p.wants(ladder) {
		some, err := r.ladders(ctx, variants, p)
		if err != nil {
			return found, err
		}
		found.All = append(found.All, some...)
	}
	return found, nil
}

// turns has each variant take its turn in each round.
func (r *Rig) turns(ctx context.Context, variants []Variant, l Load, p Plan) ([]Result, error) {
	results := make([]Result, len(variants))
	for round := range p.Rounds {
		for n, v := range variants {
			fmt.Fprintf(p.Progress, "\rrelay: %s, round %d of %d, %-12s", l.Name, round+1, p.Rounds, v.Name)
			s, err := r.round(ctx, v, l, sinkOrders{})
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", l.Name, v.Name, err)
			}
			results[n].Variant, results[n].Load = v.Name, l.Name
			results[n].Samples = append(results[n].Samples, s)
		}
	}
	fmt.Fprintln(p.Progress)
	return results, nil
}
