package janitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Job is a duty that is done at times and on request.
type Job struct {
	Name     string
	Schedule Schedule
	Splay    time.Duration // see [Schedule.Splay]
	Run      func(context.Context, Options) Outcome
}

// Options are told to a run.
type Options struct {
	DryRun bool
	By     string // who asked: [BySchedule], or a peer
}

// BySchedule is who asks when nobody does.
const BySchedule = "schedule"

// An Outcome is how a run went.
type Outcome struct {
	Result string // ok, partial, planned, blind, failed
	Detail string // one line
	Freed  int64  // bytes
}

// Failed reports whether the run did not do its work: the job could not see
// what it needs to see, or could not act.
func (o Outcome) Failed() bool { return o.Result == "blind" || o.Result == "failed" }

// A Run is one run that has ended.
type Run struct {
	ID       string
	Job      string
	Started  time.Time
	Duration time.Duration
	Options
	Outcome
}

// A JobState is a job and how it has been doing.
type JobState struct {
	Job
	Running  bool
	Next     time.Time // splay included; zero: never
	Last     *Run      // nil: it has not run yet
	Runs     uint64
	Failures uint64            // see [Outcome.Failed]
	Results  map[string]uint64 // runs by result
	Busy     time.Duration     // time spent in runs
}

// What Trigger can be refused for.
var (
	ErrUnknownJob = errors.New("no such job")
	ErrRunning    = errors.New("is running")
)

// maxRuns is how many runs of each job are remembered.
const maxRuns = 50

// maxSleep bounds how late a jump of the clock is noticed.
const maxSleep = time.Hour

// A Scheduler runs jobs at their times. Its exported fields are set before
// [Scheduler.Run].
type Scheduler struct {
	Jobs []Job
	Log  *slog.Logger
	Done func(Run) // called after each run; may be nil

	mu      sync.Mutex // guards the fields below
	states  map[string]*state
	count   uint64
	running sync.WaitGroup
}

type state struct {
	next     time.Time
	running  bool
	runs     []Run // newest last
	results  map[string]uint64
	total    uint64
	failures uint64
	busy     time.Duration
}

// state returns what is kept of a job. The caller holds mu.
func (s *Scheduler) state(name string) *state {
	if s.states == nil {
		s.states = map[string]*state{}
	}
	if s.states[name] == nil {
		s.states[name] = &state{results: map[string]uint64{}}
	}
	return s.states[name]
}

// Run runs the jobs at their times until ctx is cancelled, and returns when
// the last of them has ended.
func (s *Scheduler) Run(ctx context.Context) error {
	defer s.running.Wait()
	for {
		wait := maxSleep
		for _, job := range s.due(time.Now()) {
			s.running.Go(func() {
				if _, err := s.Trigger(ctx, job.Name, Options{By: BySchedule}); err != nil {
					s.Log.Warn("run job", "job", job.Name, "err", err)
				}
			})
		}
		if next := s.earliest(); !next.IsZero() {
			wait = min(wait, max(0, time.Until(next)))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// due returns the jobs whose time has come and sets their next. A next that
// lies behind the one that follows now was set before the clock went back.
func (s *Scheduler) due(now time.Time) []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []Job
	for _, job := range s.Jobs {
		st := s.state(job.Name)
		if !st.next.IsZero() && !now.Before(st.next) {
			due = append(due, job)
		}
		if n := next(job, now); st.next.IsZero() || !now.Before(st.next) || n.Before(st.next) {
			st.next = n
		}
	}
	return due
}

// next is the first moment after now at which the job runs on this host.
func next(job Job, now time.Time) time.Time {
	at := job.Schedule.Next(now.Add(-job.Splay))
	if at.IsZero() {
		return at
	}
	return at.Add(job.Splay)
}

func (s *Scheduler) earliest() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first time.Time
	for _, st := range s.states {
		if !st.next.IsZero() && (first.IsZero() || st.next.Before(first)) {
			first = st.next
		}
	}
	return first
}

// Trigger runs a job now and returns when it has ended. A job that is running
// already is not run again: [ErrRunning].
func (s *Scheduler) Trigger(ctx context.Context, name string, o Options) (Run, error) {
	i := slices.IndexFunc(s.Jobs, func(j Job) bool { return j.Name == name })
	if i < 0 {
		return Run{}, fmt.Errorf("job %q: %w: there is %s", name, ErrUnknownJob, s.names())
	}
	id, err := s.begin(name)
	if err != nil {
		return Run{}, err
	}
	run := Run{ID: id, Job: name, Started: time.Now().UTC(), Options: o}
	began := time.Now()
	run.Outcome = s.Jobs[i].Run(ctx, o)
	run.Duration = time.Since(began)
	s.end(run)
	if s.Done != nil {
		s.Done(run)
	}
	return run, nil
}

func (s *Scheduler) names() string {
	names := make([]string, len(s.Jobs))
	for i, j := range s.Jobs {
		names[i] = j.Name
	}
	return strings.Join(names, ", ")
}

func (s *Scheduler) begin(name string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state(name)
	if st.running {
		return "", fmt.Errorf("job %q: %w", name, ErrRunning)
	}
	st.running = true
	s.count++
	return name + "-" + strconv.FormatUint(s.count, 10), nil
}

func (s *Scheduler) end(run Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state(run.Job)
	st.running = false
	st.total++
	st.results[run.Result]++
	st.busy += run.Duration
	if run.Failed() {
		st.failures++
	}
	st.runs = append(st.runs, run)
	st.runs = st.runs[max(0, len(st.runs)-maxRuns):]
}

// States returns every job and how it has been doing.
func (s *Scheduler) States() []JobState {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]JobState, 0, len(s.Jobs))
	for _, job := range s.Jobs {
		st := s.state(job.Name)
		js := JobState{Job: job, Running: st.running, Next: st.next, Runs: st.total, Failures: st.failures, Busy: st.busy, Results: maps.Clone(st.results)}
		if n := len(st.runs); n > 0 {
			last := st.runs[n-1]
			js.Last = &last
		}
		all = append(all, js)
	}
	return all
}

// Runs returns the last runs of a job, oldest first.
func (s *Scheduler) Runs(name string) ([]Run, error) {
	if !slices.ContainsFunc(s.Jobs, func(j Job) bool { return j.Name == name }) {
		return nil, fmt.Errorf("job %q: %w: there is %s", name, ErrUnknownJob, s.names())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state(name).runs), nil
}
