package images

import (
	"math"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// horizon is the time for which the uses of an image are counted.
const horizon = 24 * time.Hour

// A demand guesses how often an image would have to be pulled within the
// horizon if it were not here, from what was used here before: once for each
// time that somebody comes for it. Where it is used at random that is its rate;
// where the next use is known, one by the time until then, because for so long
// its space is of use to others. Four things make up most of what hosts do: a
// service scales out with its newest image; an image that was replaced comes
// back only in a roll-back; a job comes back at its hour; and what nothing names
// is not asked for again.
type demand struct {
	now   time.Time
	repos map[string]*repository
}

// A repository is what is known of all images of one name.
type repository struct {
	starts    []time.Time // of containers of any of them, oldest first
	first     []time.Time // first start of each that was started, oldest first
	rollbacks int         // images that were started after one that came later
}

func newDemand(v usage.View, now time.Time) *demand {
	d := &demand{now: now, repos: map[string]*repository{}}
	of := map[string][]usage.Entry{}
	for _, e := range v.Images {
		if len(e.Names) > 0 {
			name := usage.Repository(e.Names[0])
			of[name] = append(of[name], e)
		}
	}
	for name, entries := range of {
		d.repos[name] = newRepository(entries)
	}
	return d
}

func newRepository(entries []usage.Entry) *repository {
	r := &repository{}
	for _, e := range entries {
		r.starts = append(r.starts, e.Starts...)
		if len(e.Starts) > 0 {
			r.first = append(r.first, e.Starts[0])
		}
	}
	slices.SortFunc(r.starts, time.Time.Compare)
	slices.SortFunc(r.first, time.Time.Compare)
	for _, e := range entries {
		if len(e.Starts) > 0 && r.after(e.Starts[0]) > r.after(e.Starts[len(e.Starts)-1]) {
			r.rollbacks++
		}
	}
	return r
}

// after is how many images of the repository were first used after a moment.
func (r *repository) after(at time.Time) int {
	n, _ := slices.BinarySearchFunc(r.first, at, func(first, at time.Time) int {
		if first.After(at) {
			return 1
		}
		return -1
	})
	return len(r.first) - n
}

// newer is how many images of the repository were first used after this one was
// last.
func (r *repository) newer(e usage.Entry) int {
	if len(e.Starts) > 0 {
		return r.after(e.Starts[len(e.Starts)-1])
	}
	return r.after(e.Came())
}

// of returns the expected uses of an image within the horizon.
func (d *demand) of(i inventory.Image, e usage.Entry) float64 {
	if len(i.Names()) == 0 {
		return 0.001
	}
	r := d.repos[usage.Repository(i.Names()[0])]
	if r == nil {
		return 0.05
	}
	if n := r.newer(e); n > 0 {
		back := (1 + float64(r.rollbacks)) / (20 + float64(len(r.first)))
		return back * math.Pow(0.5, float64(n))
	}
	if len(r.starts) == 0 { // brought here for later
		return 0.3
	}
	return max(d.returns(e.Starts), d.arrives(r))
}

// together is the time within which starts are one arrival: that of a deploy, or
// of a step in scale.
const together = 10 * time.Minute

// arrivals is how many of the newest the rate is taken from.
const arrivals = 8

// arrives takes the arrivals as a stream without memory, and so are the deploys
// that replace the image before the next of them.
func (d *demand) arrives(r *repository) float64 {
	count, first := 0, r.starts[len(r.starts)-1].Add(2*together)
	for _, at := range slices.Backward(r.starts) {
		if first.Sub(at) > together {
			if count == arrivals {
				break
			}
			count++
			first = at
		}
	}
	rate := per(count, d.now.Sub(first))
	replaced := per(len(r.first)-1, d.now.Sub(r.first[0]))
	return rate * rate / (rate + replaced)
}

// per is how many of so many in a time come in one horizon.
func per(count int, span time.Duration) float64 {
	return float64(count) * float64(horizon) / float64(max(span, time.Hour))
}

// returns takes them as those of a job: with equal times between them, the next
// is due or is not.
func (d *demand) returns(starts []time.Time) float64 {
	if len(starts) < 3 {
		return 0
	}
	var gaps []time.Duration
	for n := range starts[1:] {
		if gap := starts[n+1].Sub(starts[n]); gap > time.Minute {
			gaps = append(gaps, gap)
		}
	}
	if len(gaps) < 2 {
		return 0
	}
	slices.Sort(gaps)
	median := gaps[len(gaps)/2]
	if gaps[len(gaps)-1]-gaps[0] > median/4 {
		return 0
	}
	wait := starts[len(starts)-1].Add(median).Sub(d.now)
	if wait < -median/2 {
		return 0
	}
	return per(1, wait)
}
