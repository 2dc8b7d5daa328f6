package disk

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"
)

// A watch is what the loop of a Monitor knows. Only the loop touches it.
type watch struct {
	*Monitor
	answers chan answer
	done    chan struct{} // closed at the end
	asked   time.Time
	round   int               // how often it has asked
	paths   []string          // what it asks for, each once
	open    map[string]bool   // paths that owe an answer; true: for more than a round
	devices map[string]uint64 // of the paths that have answered
	systems map[uint64]*system
	failing map[string]Fault
}

// A system is one file system.
type system struct {
	State
	forecaster Forecaster
	ladder     Ladder
	round      int // of the last sample
}

// An answer is what the kernel says of a path.
type answer struct {
	path  string
	usage Usage
	err   error
}

func newWatch(m *Monitor) *watch {
	return &watch{
		Monitor: m, answers: make(chan answer), done: make(chan struct{}),
		open: map[string]bool{}, devices: map[string]uint64{},
		systems: map[uint64]*system{}, failing: map[string]Fault{},
	}
}

// ask asks for each path, but for those that still owe an answer.
func (w *watch) ask() {
	w.asked = time.Now()
	w.round++
	w.paths = nil
	for _, path := range w.Paths() {
		if !slices.Contains(w.paths, path) {
			w.paths = append(w.paths, path)
		}
	}
	listed := func(path string) bool { return slices.Contains(w.paths, path) }
	maps.DeleteFunc(w.devices, func(path string, _ uint64) bool { return !listed(path) })
	maps.DeleteFunc(w.failing, func(path string, _ Fault) bool { return !listed(path) })
	for _, path := range w.paths {
		if _, owes := w.open[path]; owes {
			w.open[path] = true
			w.fail(path, &fs.PathError{Op: "statfs", Path: path, Err: os.ErrDeadlineExceeded})
			continue
		}
		w.open[path] = false
		go w.question(path)
	}
	w.publish()
}

// question may be held by the kernel for as long as a server is away.
func (w *watch) question(path string) {
	usage, err := Stat(path)
	select {
	case w.answers <- answer{path, usage, err}:
	case <-w.done:
	}
}

// take takes an answer. The first path of a file system that answers speaks for
// the others.
func (w *watch) take(a answer) {
	delete(w.open, a.path)
	if !slices.Contains(w.paths, a.path) {
		return
	}
	if a.err != nil {
		delete(w.devices, a.path)
		w.fail(a.path, a.err)
		w.publish()
		return
	}
	w.recover(a.path)
	w.devices[a.path] = a.usage.Device
	s, known := w.systems[a.usage.Device]
	if !known {
		if s = w.past[a.usage.Device]; s == nil {
			s = &system{}
		}
		s.ladder.Limits, s.round = w.Limits, 0
		delete(w.past, a.usage.Device)
		w.systems[a.usage.Device] = s
	}
	was := s.Level
	if s.round != w.round {
		s.round = w.round
		s.sample(a.usage)
	}
	w.publish()
	if s.Level != was {
		w.tell(s.State, was)
	}
}

// sample makes a state of what the kernel has said now.
func (s *system) sample(u Usage) {
	now := time.Now()
	was := s.Level
	s.Usage, s.At = u, now
	s.Forecast = s.forecaster.Add(now, u)
	s.Level = s.ladder.Step(u, s.Forecast)
	if s.Since.IsZero() || s.Level != was {
		s.Since = now
	}
}

// publish lets others see what the loop knows. A file system that no path leads
// to any more is forgotten.
func (w *watch) publish() {
	on := map[uint64][]string{}
	var states []State
	var faults []Fault
	for _, path := range w.paths {
		if device, known := w.devices[path]; known {
			on[device] = append(on[device], path)
		}
		if f, fails := w.failing[path]; fails {
			faults = append(faults, f)
		}
	}
	for _, path := range w.paths {
		device, known := w.devices[path]
		if !known || on[device][0] != path {
			continue
		}
		s := w.systems[device]
		s.Paths, s.Reason = on[device], reason(path, s.Usage, s.Forecast, s.Level, w.Limits)
		states = append(states, s.State)
	}
	w.mu.Lock()
	w.states, w.faults = states, faults
	w.mu.Unlock()
	for device, s := range w.systems {
		if len(on[device]) == 0 {
			delete(w.systems, device)
			w.forget(s)
		}
	}
}

// forget tells whoever was told of a level that it is no longer known.
func (w *watch) forget(s *system) {
	was := s.Level
	if was == Normal {
		return
	}
	s.Level, s.Since, s.Reason = Normal, time.Now(), s.Paths[0]+" cannot be looked at any more"
	w.tell(s.State, was)
}

// tell tells of a change of a level.
func (w *watch) tell(s State, was Level) {
	log := w.Log.Info
	if s.Level > was {
		log = w.Log.Warn
	}
	log("change disk level", "path", s.Paths[0], "level", s.Level, "was", was, "reason", s.Reason)
	if w.Changed != nil {
		w.Changed(s)
	}
}

// fail notes that a path cannot be looked at. It is logged once.
func (w *watch) fail(path string, err error) {
	f, known := w.failing[path]
	if !known {
		f = Fault{Path: path, Since: time.Now()}
		w.Log.Warn("look at disk", "path", path, "err", err)
	}
	f.Err = err
	w.failing[path] = f
}

// recover notes that a path can be looked at.
func (w *watch) recover(path string) {
	if f, failed := w.failing[path]; failed {
		delete(w.failing, path)
		w.Log.Info("look at disk again", "path", path, "after", time.Since(f.Since))
	}
}

// stop waits for the answers that are on their way. It does not wait for those
// that the kernel holds: their goroutines end when it lets them go.
func (w *watch) stop() {
	defer close(w.done)
	end := time.After(patience)
	for slices.Contains(slices.Collect(maps.Values(w.open)), false) {
		select {
		case a := <-w.answers:
			delete(w.open, a.path)
		case <-end:
			return
		}
	}
}

// next is when to ask again.
func (w *watch) next() time.Time {
	every := cmp.Or(w.Every, defaultEvery)
	for _, s := range w.systems {
		if s.Level >= High {
			every = min(every, cmp.Or(w.Urgent, defaultUrgent))
		}
	}
	return w.asked.Add(every)
}
