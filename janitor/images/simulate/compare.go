package simulate

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// A Report is one trace under every policy.
type Report struct {
	Results []Result // by way, then by mean disk use
	InUse   int64    // bytes that containers use, over time
}

// Compare replays a trace under every policy, those with a capacity under
// several. progress is told of each replay that has ended, and of all there are;
// it may be nil.
func Compare(trace []Event, progress func(done, all int)) Report {
	r := Report{InUse: inUse(trace)}
	var policies []Policy
	for _, budget := range []float64{1.3, 1.6, 2, 2.5, 3, 4, 6} { // in what containers use on average
		capacity := int64(budget * float64(r.InUse))
		policies = append(policies, Policy{Way: Ours, Capacity: capacity}, Policy{Way: LRU, Capacity: capacity}, Policy{Way: Oracle, Capacity: capacity})
	}
	for _, days := range []time.Duration{1, 3, 7} {
		policies = append(policies, Policy{Way: Age, Until: days * 24 * time.Hour})
	}
	policies = append(policies, Policy{Way: Nothing})
	for n, p := range policies {
		r.Results = append(r.Results, Replay(trace, p))
		if progress != nil {
			progress(n+1, len(policies))
		}
	}
	slices.SortFunc(r.Results, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Policy.Way, b.Policy.Way), cmp.Compare(a.Mean, b.Mean))
	})
	return r
}

// of returns the results of one way, by mean disk use.
func (r Report) of(way Way) []Result {
	return slices.DeleteFunc(slices.Clone(r.Results), func(one Result) bool { return one.Policy.Way != way })
}

// at is what a way would need at a mean disk use, straight between the two of
// its results around it; ok is false where there are none. Nothing is the end of
// every way's curve: with room for everything none removes anything.
func (r Report) at(way Way, mean float64, figure func(Result) float64) (value float64, ok bool) {
	points := append(r.of(way), r.of(Nothing)...)
	for n := 1; n < len(points); n++ {
		a, b := points[n-1], points[n]
		if a.Mean <= mean && mean <= b.Mean && a.Mean < b.Mean {
			part := (mean - a.Mean) / (b.Mean - a.Mean)
			return figure(a) + part*(figure(b)-figure(a)), true
		}
	}
	return 0, false
}

// A Saving is how much less the planner pulls than another way at the disk use
// of one of that way's results.
type Saving struct {
	Beside    Result
	All       float64 // share of the seconds of pulling
	Avoidable float64 // share of those for images that had been here before: the rest nobody can save
	Oracle    float64 // share of the seconds of pulling that one who knows the future would save
}

// Savings holds the planner against each result of another way, at the same mean
// disk use. Results that no result of the planner can be held against are left
// out.
func (r Report) Savings(way Way) []Saving {
	all := func(r Result) float64 { return r.Seconds }
	again := func(r Result) float64 { return r.Again }
	var found []Saving
	for _, other := range r.of(way) {
		seconds, ok := r.at(Ours, other.Mean, all)
		avoidable, _ := r.at(Ours, other.Mean, again)
		best, known := r.at(Oracle, other.Mean, all)
		if ok && known && other.Again > 0 {
			found = append(found, Saving{other, 1 - seconds/other.Seconds, 1 - avoidable/other.Again, 1 - best/other.Seconds})
		}
	}
	return found
}

const gibi = 1 << 30

// Table writes the results for people to read.
func (r Report) Table(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "POLICY\tMEAN GiB\tPEAK GiB\tPULLS\tPULL s/DAY\tOF THEM AGAIN\ts/START\tREMOVED\tOVER\t")
	for _, one := range r.Results {
		fmt.Fprintf(out, "%s\t%.1f\t%.1f\t%d\t%.0f\t%.0f\t%.2f\t%d\t%d\t\n", one.Policy, one.Mean/gibi, float64(one.Peak)/gibi,
			one.Pulls, one.SecondsPerDay(), one.Again/one.Days, one.Seconds/float64(one.Starts), one.Removed, one.Over)
	}
	fmt.Fprintln(out, "\t\t\t\t\t\t\t\t\t")
	fmt.Fprintln(out, "AT THE DISK USE OF\tGiB\tPULL s SAVED\tOF THE AVOIDABLE\tORACLE SAVES\t")
	for _, way := range []Way{LRU, Age} {
		for _, s := range r.Savings(way) {
			fmt.Fprintf(out, "%s\t%.1f\t%.0f %%\t%.0f %%\t%.0f %%\t\n", s.Beside.Policy, s.Beside.Mean/gibi, 100*s.All, 100*s.Avoidable, 100*s.Oracle)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// String is the policy for people to read.
func (p Policy) String() string {
	switch {
	case p.Capacity > 0:
		return fmt.Sprintf("%s, %.1f GiB", p.Way, float64(p.Capacity)/gibi)
	case p.Until > 0:
		return fmt.Sprintf("%s, %.0f h", p.Way, p.Until.Hours())
	default:
		return string(p.Way)
	}
}
