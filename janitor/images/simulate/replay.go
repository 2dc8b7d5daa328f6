package simulate

import "time"

// A Result is what a replay came to.
type Result struct {
	Policy  Policy
	Days    float64
	Mean    float64 // bytes on disk, over time
	Peak    int64   // bytes
	Starts  int     // of containers
	Pulls   int
	Seconds float64 // of pulling
	Again   float64 // of those, for images that had been here before
	Removed int
	Over    int // starts after which more was on disk than the capacity, whatever the policy did
}

// SecondsPerDay are the seconds of pulling a day.
func (r Result) SecondsPerDay() float64 { return r.Seconds / r.Days }

// Replay replays a trace under a policy. The trace must be one that [Read] would
// accept.
func Replay(trace []Event, p Policy) Result {
	r := replay{host: newHost(), keeper: p.keeper(trace), Result: Result{Policy: p}}
	if len(trace) == 0 {
		return r.Result
	}
	r.now = trace[0].At
	next := r.now.Add(tick)
	for _, e := range trace {
		for ; next.Before(e.At); next = next.Add(tick) {
			r.advance(next)
			r.clean()
		}
		r.advance(e.At)
		switch e.Kind {
		case Built:
			r.built(e)
		case Stopped:
			r.stop(e)
		case Started:
			r.run(e)
		}
	}
	if span := r.now.Sub(trace[0].At); span > 0 {
		r.Mean, r.Days = r.area/span.Seconds(), span.Hours()/24
	}
	return r.Result
}

// A replay is a trace on its way.
type replay struct {
	*host
	keeper
	Result
	area float64 // bytes on disk times seconds
}

func (r *replay) advance(to time.Time) {
	r.area += float64(r.bytes) * to.Sub(r.now).Seconds()
	r.now = to
}

// clean has the policy remove what it wants removed.
func (r *replay) clean() {
	before := len(r.here)
	r.relieve(r.host)
	r.Removed += before - len(r.here)
	r.Peak = max(r.Peak, r.bytes)
}

// tick is how often the disk is looked at where nothing was pulled.
const tick = 10 * time.Minute

// run starts a container. What had to be pulled for it may have to make room.
func (r *replay) run(e Event) {
	again := r.everHere[idOf(e.Image)]
	took := r.pull(e.Image)
	r.start(e)
	r.Starts++
	if took > 0 {
		r.Pulls++
		r.Seconds += took.Seconds()
		if again {
			r.Again += took.Seconds()
		}
		r.pulled(r.host, e.Image, took)
	}
	r.started(r.host)
	if took > 0 {
		r.clean()
	}
	if r.Policy.Capacity > 0 && r.bytes > r.Policy.Capacity {
		r.Over++
	}
}

// inUse is the mean of the bytes that containers use: nobody can do with less.
func inUse(trace []Event) int64 {
	return int64(Replay(trace, Policy{Way: LRU, Capacity: 1}).Mean)
}
