package disk

import (
	"math"
	"time"
)

// A series is the history of what was left of one resource of one file system.
type series struct {
	windows [5]window
	last    point   // the last sample
	noise   float64 // mean change from one sample to the next
	grown   float64 // growth since the start, as if nothing had ever been given back
	given   float64 // what was left at the start, and all that drops have given back since
	teeth   teeth
	rhythm  rhythm
	risen   float64 // grown at the last drop
	least   float64 // the least that was left since then
	most    point   // the most that was left in the drop that goes on
	falling bool    // one goes on
}

// A drop is a fall of use by so much of the size, and by so many times the mean
// change from one sample to the next. It is over when use has risen by half of
// that, or has not fallen for a minute.
const (
	dropShare = 0.01
	dropNoise = 6
	dropRest  = time.Minute
	noiseKeep = 15.0 / 16 // of the mean change, with each sample
)

// sure is how many times the mean change from one sample to the next use must
// have grown in a window. Growth without any noise is ten times that in the
// shortest one.
const sure = 5

// newSeries starts a history with its first sample.
func newSeries(first point) *series {
	return &series{
		windows: [...]window{{span: 5 * time.Minute}, {span: 20 * time.Minute}, {span: time.Hour}, {span: 6 * time.Hour}, {span: 24 * time.Hour}},
		last:    first, given: first.value, least: first.value,
	}
}

// add takes a sample of what is left out of size.
func (s *series) add(p point, size float64) {
	drop := max(size*dropShare, s.noise*dropNoise)
	s.noise += (min(math.Abs(p.value-s.last.value), drop) - s.noise) * (1 - noiseKeep)
	s.last = p
	switch {
	case !s.falling && p.value < s.least+drop:
		s.least = min(s.least, p.value)
	case !s.falling:
		s.falling, s.most = true, p
	case p.value > s.most.value:
		s.most = p
	case p.value <= s.most.value-drop/2 || p.at-s.most.at > dropRest:
		s.endDrop()
	}
	if s.falling {
		s.grown = s.given - s.least
	} else {
		s.grown = s.given - p.value
	}
	for i := range s.windows {
		s.windows[i].add(point{p.at, s.grown})
	}
}

// endDrop keeps what a drop has been, and takes it out of the growth.
func (s *series) endDrop() {
	grown, back := s.given-s.least, s.most.value-s.least
	s.teeth.add(tooth{at: s.most.at, rise: grown - s.risen, back: back})
	s.rhythm = s.teeth.rhythm()
	s.falling, s.given, s.risen, s.least = false, s.given+back, grown, s.last.value
}

// forecast is the soonest that any window tells, none of them further ahead
// than it may.
func (s *series) forecast(r Resource) (soonest Forecast) {
	for i := range s.windows {
		w := &s.windows[i]
		if w.slope <= 0 || w.slope*w.span.Seconds() < sure*s.noise {
			continue
		}
		if full, ok := s.full(w.slope, w.span*ahead); ok {
			soonest = sooner(soonest, Forecast{Full: full, Resource: r, Rate: w.slope, Window: w.span})
		}
	}
	return soonest
}

// full is when nothing will be left if use grows at a rate, and drops go on as
// they did; false: not within the horizon.
func (s *series) full(rate float64, horizon time.Duration) (time.Duration, bool) {
	at, left, end := s.last.at, s.last.value, s.last.at+horizon
	if r := s.rhythm; r.due > at {
		rise := rate * (r.due - at).Seconds()
		// A rise that is still within what was usual will not go beyond it.
		if rest := r.rise - (s.grown - s.risen); rest > 0 {
			rise = min(rise, rest)
		}
		for due := r.due; rise < left; at, due = due, due+r.period {
			if due >= end {
				return 0, false
			}
			left += r.back - rise
			rise = rate * r.period.Seconds()
		}
	}
	seconds := (at - s.last.at).Seconds() + left/rate
	if seconds > horizon.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}
