package disk

import (
	"slices"
	"time"
)

// A window remembers a growing number at eleven moments, its span cut into ten
// equal parts.
type window struct {
	span   time.Duration
	points [parts + 1]point
	n      int     // points that there are
	slope  float64 // growth a second; 0 until all points are there
}

// A point is a number at a moment, which is counted from the first sample.
type point struct {
	at    time.Duration
	value float64
}

// How a window is cut, and how many of its fastest and of its slowest parts are
// not believed: what happens once can straddle two parts.
const (
	parts = 10
	tails = 2
)

// add takes a sample, and keeps it if the last one that was kept is a part old.
// A window that has missed half its span begins anew.
func (w *window) add(p point) {
	part := w.span / parts
	if w.n > 0 {
		since := p.at - w.points[w.n-1].at
		if since < part-part/10 { // a tick may come early
			return
		}
		if since > w.span/2 {
			w.n, w.slope = 0, 0
		}
	}
	if w.n == len(w.points) {
		copy(w.points[:], w.points[1:])
		w.n--
	}
	w.points[w.n] = p
	w.n++
	if w.n == len(w.points) {
		w.slope = w.mean()
	}
}

// mean is the winsorized mean of the slopes of the parts, but no more than what
// really has grown. The two fastest parts count as the third fastest, the two
// slowest as the third slowest: a jump does not move it, and growth in bursts
// counts in full if there are three of them.
func (w *window) mean() float64 {
	var slopes [parts]float64
	for i := range slopes {
		slopes[i] = slope(w.points[i], w.points[i+1])
	}
	slices.Sort(slopes[:])
	var sum float64
	for i := range slopes {
		sum += slopes[min(max(i, tails), parts-1-tails)]
	}
	return min(sum/parts, slope(w.points[0], w.points[parts]))
}

func slope(from, to point) float64 {
	return (to.value - from.value) / (to.at - from.at).Seconds()
}
