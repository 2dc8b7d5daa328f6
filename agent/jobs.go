package agent

import (
	"context"
	"errors"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/janitor"
)

// Jobs returns the scheduled duties and how they have been doing.
func (a *Agent) Jobs(context.Context) []api.Job {
	states := a.generation().scheduler.States()
	jobs := make([]api.Job, 0, len(states))
	for _, s := range states {
		job := api.Job{
			Name: s.Name, Schedule: s.Schedule.String(), Splay: s.Splay.String(), Running: s.Running,
			Next: stamp(s.Next), Runs: s.Runs, Failures: s.Failures,
		}
		if s.Last != nil {
			last := runOf(*s.Last)
			job.Last = &last
		}
		jobs = append(jobs, job)
	}
	return jobs
}

// JobRuns returns the last runs of a job, oldest first.
func (a *Agent) JobRuns(_ context.Context, name string) ([]api.Run, error) {
	found, err := a.generation().scheduler.Runs(name)
	if err != nil {
		return nil, jobProblem(err)
	}
	runs := make([]api.Run, 0, len(found))
	for _, r := range found {
		runs = append(runs, runOf(r))
	}
	return runs, nil
}

// RunJob runs a job now and returns when it has ended.
func (a *Agent) RunJob(ctx context.Context, by api.Peer, name string, dryRun bool) (api.Run, error) {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	run, err := g.scheduler.Trigger(ctx, name, janitor.Options{DryRun: dryRun, By: caller(by)})
	if err != nil {
		return api.Run{}, jobProblem(err)
	}
	return runOf(run), nil
}

func jobProblem(err error) error {
	switch {
	case errors.Is(err, janitor.ErrUnknownJob):
		return api.NotFound("%v", err)
	case errors.Is(err, janitor.ErrRunning):
		return api.Conflict("%v: wait for it, or look with: berth jobs ls", err)
	}
	return err
}

func runOf(r janitor.Run) api.Run {
	return api.Run{
		ID: r.ID, Job: r.Job, Started: stamp(r.Started), Duration: r.Duration,
		Result: r.Result, Detail: r.Detail, Freed: r.Freed, DryRun: r.DryRun, By: r.By,
	}
}
