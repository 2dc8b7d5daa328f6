package cli

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) jobs() *cobra.Command {
	c := &cobra.Command{
		Use:     "jobs",
		Short:   "Scheduled duties: when they ran, what came of it, when they run next",
		Example: "  berth jobs ls\n  berth jobs run logs --dry-run\n  berth jobs history logs",
	}
	c.AddCommand(s.jobsList(), s.jobsRun(), s.jobsHistory())
	return c
}

func (s *session) jobsList() *cobra.Command {
	return &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Args: cobra.NoArgs,
		Short:   "List the jobs",
		Example: "  berth jobs ls\n  berth jobs ls --json | jq -r '.[] | select(.failures > 0).name'",
		RunE: func(c *cobra.Command, _ []string) error {
			jobs, err := s.client().Jobs(c.Context())
			if err != nil {
				return err
			}
			return s.show(list(jobs), func(p *page) {
				if len(jobs) == 0 {
					p.line("no job is configured")
				}
				p.jobTable(jobs).draw()
			})
		},
	}
}

func (p *page) jobTable(jobs []api.Job) *table {
	t := p.table("JOB", "SCHEDULE", "LAST", "RESULT", ">FREED", "NEXT", "~DETAIL")
	for _, j := range jobs {
		last, result, freed, detail := "never", ink{}, "", ""
		if r := j.Last; r != nil {
			last = p.moment(r.Started) + " (" + duration(r.Duration) + ")"
			result, freed, detail = resultInk(r.Result), size(r.Freed), r.Detail
		}
		next := p.moment(j.Next)
		if j.Running {
			next = "running now"
		}
		t.row(j.Name, j.Schedule, last, result, freed, next, detail)
	}
	return t
}

func resultInk(result string) ink {
	styles := map[string]string{"ok": green, "partial": yellow, "planned": yellow, "blind": yellow, "failed": red}
	return ink{result, styles[result]}
}

func (s *session) jobsRun() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use: "run NAME", Args: cobra.ExactArgs(1), ValidArgsFunction: s.completeJobs,
		Short:   "Run a job now and wait for its end",
		Long:    "Run a job now and wait for its end. It takes the rights to operate: root, the\ndaemon's own user or a member of the operator group.",
		Example: "  berth jobs run logs --dry-run\n  berth jobs run logs",
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "plan only")
	c.RunE = func(c *cobra.Command, args []string) error {
		waited := s.waiting("running…")
		run, err := s.client().RunJob(c.Context(), args[0], dryRun)
		waited()
		if err != nil {
			return err
		}
		if err := s.show(run, func(p *page) {
			p.line("%s %s in %s: %s", run.Job, resultInk(run.Result), duration(run.Duration), cmp.Or(run.Detail, "nothing to say"))
		}); err != nil {
			return err
		}
		if run.Result == "failed" || run.Result == "blind" {
			return outcome(exitFailed)
		}
		return nil
	}
	return c
}

func (s *session) jobsHistory() *cobra.Command {
	return &cobra.Command{
		Use: "history NAME", Args: cobra.ExactArgs(1), ValidArgsFunction: s.completeJobs,
		Short:   "The runs of a job that are remembered, newest first",
		Example: "  berth jobs history logs",
		RunE: func(c *cobra.Command, args []string) error {
			runs, err := s.client().JobRuns(c.Context(), args[0])
			if err != nil {
				return err
			}
			return s.show(list(runs), func(p *page) {
				if len(runs) == 0 {
					p.line("%s has not run since the daemon was started", args[0])
				}
				p.runTable(runs)
			})
		},
	}
}

func (p *page) runTable(runs []api.Run) {
	t := p.table("RUN", "STARTED", "TOOK", "RESULT", ">FREED", "BY", "~DETAIL")
	for _, r := range slices.Backward(runs) {
		result := resultInk(r.Result)
		if r.DryRun {
			result.text += " (dry run)"
		}
		t.row(r.ID, p.moment(r.Started), duration(r.Duration), result, size(r.Freed), r.By, r.Detail)
	}
	t.draw()
}
