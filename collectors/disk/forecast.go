package disk

import "time"

// A Forecast says when a file system will be full if its use goes on as it did.
// The zero Forecast is that of one that is not filling, and of one of which
// too little has been seen.
type Forecast struct {
	Full     time.Duration // from the last sample until nothing is left; 0: not in sight, or past
	Resource Resource      // what is used up first
	Rate     float64       // what its use grows by: bytes or inodes a second, what drops gave back left out
	Window   time.Duration // how long it has grown like that
}

// A Resource is what a file system can run out of.
type Resource string

// The resources.
const (
	Bytes  Resource = "bytes"
	Inodes Resource = "inodes"
)

// ahead says how much further than it looked back a window may look ahead: what
// has gone on for 5 min may go on for 15 more.
const ahead = 3

// A Forecaster learns how one file system fills from samples of its use. The
// zero Forecaster is ready. Its memory is a few KiB, however long it lives. It
// is not safe for concurrent use.
type Forecaster struct {
	start  time.Time
	latest time.Duration
	series map[Resource]*series
}

// Add takes a sample and says what it means. Samples are best 30 s apart; more
// of them make no difference, missing ones a small one. If the clock has gone
// back, all begins anew; times with a monotonic reading are safe from that.
func (f *Forecaster) Add(at time.Time, u Usage) Forecast {
	elapsed := at.Sub(f.start)
	if f.series == nil || elapsed < f.latest {
		f.start, elapsed, f.series = at, 0, map[Resource]*series{}
	}
	f.latest = elapsed
	return sooner(f.add(Bytes, elapsed, u.Avail, u.Bytes), f.add(Inodes, elapsed, u.InodesFree, u.Inodes))
}

func (f *Forecaster) add(r Resource, at time.Duration, left, size uint64) Forecast {
	if size == 0 {
		return Forecast{}
	}
	p := point{at, float64(left)}
	s := f.series[r]
	if s == nil {
		s = newSeries(p)
		f.series[r] = s
	}
	s.add(p, float64(size))
	return s.forecast(r)
}

// sooner is the one of two forecasts that comes true first.
func sooner(a, b Forecast) Forecast {
	if a.Full == 0 || b.Full != 0 && b.Full < a.Full {
		return b
	}
	return a
}
