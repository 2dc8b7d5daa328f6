package relay

import (
	"context"
	"fmt"
	"time"
)

// ladder is the load that grows until something is lost.
const ladder = "ladder"

// Each step of it is so much more than the last, and takes so long. The first
// is one that all but the slowest take; they go down from there.
const (
	step      = 1.15
	firstRate = 152_000
	stepSpan  = 700 * time.Millisecond
	most      = 1_200_000
)

// ladders measures the highest rate of each variant, in turns.
func (r *Rig) ladders(ctx context.Context, variants []Variant, p Plan) ([]Result, error) {
	results := make([]Result, len(variants))
	rates := make([][]float64, len(variants))
	for round := range p.Rounds {
		for n, v := range variants {
			fmt.Fprintf(p.Progress, "\rrelay: ladder, round %d of %d, %-12s", round+1, p.Rounds, v.Name)
			rate, s, err := r.climb(ctx, v)
			if err != nil {
				return nil, fmt.Errorf("ladder, %s: %w", v.Name, err)
			}
			rates[n] = append(rates[n], rate)
			results[n].Variant, results[n].Load = v.Name, ladder
			results[n].Samples = append(results[n].Samples, s)
		}
	}
	fmt.Fprintln(p.Progress)
	for n := range results {
		results[n].Rate = median(rates[n])
	}
	return results, nil
}

// climb returns the highest rate that a variant takes without loss, and what
// it cost there.
func (r *Rig) climb(ctx context.Context, v Variant) (best float64, at Sample, err error) {
	s, err := r.stage(ctx, v, sinkOrders{Count: true})
	if err != nil {
		return 0, at, err
	}
	defer s.stop()
	l := bursts()
	l.Span = stepSpan
	if l.Port = v.Port; l.Port == 0 {
		l.Port = port
	}
	for rate := float64(firstRate); rate > 10_000 && rate < most; {
		l.Rate = int(rate)
		took, m, err := r.takes(ctx, s, l)
		switch {
		case err != nil:
			return 0, at, err
		case took && rate >= best:
			best, at = rate, m
			rate *= step
			if best < firstRate {
				return best, at, nil // it came from above
			}
		case best > 0:
			return best, at, nil
		default:
			rate /= step
		}
	}
	return best, at, nil
}

// takes reports whether all of a load is sent at its rate and nothing of it is
// lost, in one of three attempts: a machine that others use too may fail one.
func (r *Rig) takes(ctx context.Context, s *stage, l Load) (took bool, m Sample, err error) {
	for range 3 {
		if m, err = r.measure(ctx, s, l); err != nil {
			return false, m, err
		}
		if m.Loss < 1e-9 && m.Behind < l.Span/20 {
			return true, m, nil
		}
	}
	return false, m, nil
}
