package disk

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// A Monitor looks after the file systems of some paths. Paths, Limits and Log
// are required.
type Monitor struct {
	Paths   func() []string // what to look at, asked each time; called from the loop
	Limits  Limits
	Log     *slog.Logger
	Every   time.Duration // between looks; zero: 30 s
	Urgent  time.Duration // between looks while a level is high or worse; zero: 5 s
	Changed func(State)   // told of each change of a level, from the loop; nil: nobody is

	past map[uint64]*system // by device: what a monitor that has ended knew

	mu     sync.Mutex // guards what follows
	states []State
	faults []Fault
}

const (
	defaultEvery  = 30 * time.Second
	defaultUrgent = 5 * time.Second
	patience      = time.Second // at the end, with paths that have not answered
)

// A State is what is known of one file system.
type State struct {
	Paths    []string // those of the Monitor's that are on it, in their order
	Usage    Usage    // as of At
	Forecast Forecast
	Level    Level
	Reason   string    // what the level rests on, with numbers, as of At
	Since    time.Time // when the level was reached
	At       time.Time // of the last answer
}

// A Fault is a path that cannot be looked at.
type Fault struct {
	Path  string
	Err   error // a [fs.PathError]; of [os.ErrDeadlineExceeded] if there was no answer until the next look
	Since time.Time
}

// States returns the file systems in the order of their first paths. One that
// does not answer stays as it was last seen.
func (m *Monitor) States() []State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.states)
}

// Faults returns the paths that cannot be looked at.
func (m *Monitor) Faults() []Fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.faults)
}

// Level is that of the file system that one of the paths is on; Normal for a
// path that is not known.
func (m *Monitor) Level(path string) Level {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.states {
		if slices.Contains(s.Paths, path) {
			return s.Level
		}
	}
	return Normal
}

// Continue makes the monitor go on with what another one has learned whose Run
// has ended. It is for before Run.
func (m *Monitor) Continue(ended *Monitor) { m.past = ended.past }

// Run looks until ctx ends, and then returns nil.
func (m *Monitor) Run(ctx context.Context) error {
	w := newWatch(m)
	defer func() {
		w.stop()
		m.past = w.systems
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case a := <-w.answers:
			w.take(a)
		case <-time.After(time.Until(w.next())):
			w.ask()
		}
	}
}
