package relay

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Table writes what was measured, with ratios to the naive relay and to DNAT.
func (r Results) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	load := ""
	for _, one := range r.All {
		if one.Load != load {
			if load = one.Load; load != r.All[0].Load {
				fmt.Fprintln(t, "\t")
			}
			fmt.Fprintf(t, "%s\trelay\tx naive\tsink\ttotal\tx DNAT\tloss %%\tstray %%\tvictim %%\tkernel %%\tout\tallocs\tRSS MiB\trate k/s\tx naive\tx DNAT\t\n", load)
		}
		r.row(t, one)
	}
	if r.Fault != "" {
		fmt.Fprintln(t, r.Fault)
	}
	return t.Flush()
}

func (r Results) row(w io.Writer, one Result) {
	relay, total := one.Of(relayOf), one.Of(totalOf)
	naive, _ := r.Of(one.Load, Naive)
	nat, _ := r.Of(one.Load, DNAT)
	rate, fast, faster := "", "", ""
	if one.Load == ladder {
		rate, fast, faster = fmt.Sprintf("%.0f", one.Rate/1000), ratio(one.Rate, naive.Rate), ratio(one.Rate, nat.Rate)
	}
	fmt.Fprintf(w, "%s\t%.0f\t%s\t%.0f\t%.0f\t%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.4f\t%.1f\t%s\t%s\t%s\t\n",
		one.Variant, relay, ratio(relay, naive.Of(relayOf)), one.Of(sinkOf), total, ratio(total, nat.Of(totalOf)),
		100*one.Of(lossOf), 100*one.Of(strayedOf), 100*one.Of(victimOf), 100*one.Of(kernelOf), one.Of(outOf), one.Of(allocsOf), one.Of(rssOf)/(1<<20), rate, fast, faster)
}

// ratio is a over b, or nothing where b was not measured.
func ratio(a, b float64) string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", a/b)
}

func relayOf(s Sample) float64   { return s.Relay }
func sinkOf(s Sample) float64    { return s.Sink }
func totalOf(s Sample) float64   { return s.Total }
func lossOf(s Sample) float64    { return s.Loss }
func strayedOf(s Sample) float64 { return s.Strayed }
func victimOf(s Sample) float64  { return s.Victim }
func kernelOf(s Sample) float64  { return s.Kernel }
func allocsOf(s Sample) float64  { return s.Allocs }
func outOf(s Sample) float64     { return s.Out }
func rssOf(s Sample) float64     { return float64(s.RSS) }
