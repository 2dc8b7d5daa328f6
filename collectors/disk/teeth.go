package disk

import (
	"slices"
	"time"
)

// A tooth is a rise of use and the drop that ended it. Where something sweeps,
// use over time looks like a saw.
type tooth struct {
	at   time.Duration // when the drop was over
	rise float64
	back float64 // what the drop gave back
}

// teeth are the last ones, oldest first.
type teeth []tooth

const (
	maxTeeth = 8
	minTeeth = 3 // before more are expected
)

// add puts a tooth in the place of the oldest.
func (t *teeth) add(last tooth) {
	if len(*t) == maxTeeth {
		*t = slices.Delete(*t, 0, 1)
	}
	*t = append(*t, last)
}

// A rhythm is what the teeth have in common. It has ended when a drop is overdue.
type rhythm struct {
	period time.Duration // usual time between two drops
	due    time.Duration // latest moment of the next one
	back   float64       // what one usually gives back
	rise   float64       // most that use has risen before one
}

// slack is what a drop may be late, and a rise higher, than any before it; a
// drop may in any case be seen a few samples late.
const (
	slack    = 0.05
	minSlack = 2 * time.Minute
)

// rhythm is how the teeth are expected to go on; none is expected of too few.
// A pause of more than two periods was an interruption, and says nothing of how
// late a drop may be.
func (t teeth) rhythm() (r rhythm) {
	if len(t) < minTeeth {
		return rhythm{}
	}
	var periods []time.Duration
	var backs []float64
	for i, o := range t {
		if i > 0 {
			periods = append(periods, o.at-t[i-1].at)
		}
		backs = append(backs, o.back)
		r.rise = max(r.rise, o.rise*(1+slack))
	}
	slices.Sort(periods)
	slices.Sort(backs)
	r.period, r.back = periods[len(periods)/2], backs[(len(backs)-1)/2]
	longest := min(slices.Max(periods), 2*r.period)
	r.due = t[len(t)-1].at + longest + max(time.Duration(slack*float64(longest)), minSlack)
	return r
}
