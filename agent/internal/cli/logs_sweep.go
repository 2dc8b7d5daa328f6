package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) logsSweep() *cobra.Command {
	var request api.SweepRequest
	c := &cobra.Command{
		Use: "sweep", Args: cobra.NoArgs,
		Short: "Sweep the log folders now",
		Long: "Sweep the log folders now and wait for the end. What is removed can be brought back\n" +
			"with undo until its undo window ends. It takes the rights to operate: root, the\n" +
			"daemon's own user or a member of the operator group.",
		Example: "  berth logs sweep --dry-run\n" +
			"  berth logs sweep\n" +
			"  berth logs sweep --plan 7c1f0a9be2d4    # what that plan names, or less\n" +
			"  berth logs sweep --purge                # and free the space of what can still be restored",
	}
	f := c.Flags()
	f.StringVar(&request.Plan, "plan", "", "apply only what the plan with this hash names")
	f.BoolVar(&request.DryRun, "dry-run", false, "plan only")
	f.BoolVar(&request.Purge, "purge", false, "also delete for good what can still be restored")
	f.BoolVar(&request.Unlimited, "unlimited", false, unlimitedHelp)
	_ = c.RegisterFlagCompletionFunc("plan", cobra.NoFileCompletions)
	c.RunE = func(c *cobra.Command, _ []string) error {
		waited := s.waiting("sweeping…")
		report, err := s.client().LogSweep(c.Context(), request)
		waited()
		if err != nil {
			return err
		}
		if err := s.showSweep(report); err != nil {
			return err
		}
		if report.Fault != "" || report.Plan.Blind != "" && !report.DryRun {
			return outcome(exitFailed)
		}
		return nil
	}
	return c
}

func (s *session) showSweep(r api.SweepReport) error {
	if r.DryRun {
		return s.showPlan(r, r.Plan)
	}
	return s.show(r, func(p *page) { p.sweep(r) })
}

// sweep adds what was done to each folder and why, and what can be done next.
// Piped, the plan's text comes first; on a screen the tables say the same.
func (p *page) sweep(r api.SweepReport) {
	if !p.screen && r.Plan.Text != "" {
		p.block(r.Plan.Text)
		p.line("")
	}
	p.done("REMOVED", yellow, r.Removed)
	p.done("DELETED FOR GOOD", red, r.Purged)
	p.done("KEPT AFTER ALL", "", r.Refused)
	for _, note := range r.Plan.Notes {
		p.line("note: %s", note)
	}
	switch {
	case r.Plan.Blind != "":
		p.line("%s", ink{"Nothing removed: " + r.Plan.Blind, yellow})
	case len(r.Removed)+len(r.Purged)+len(r.Refused) == 0:
		p.line("Nothing to remove: %s kept, in %s", plural(r.Plan.Keep, "folder"), duration(r.Duration))
	default:
		p.line("%s", p.total(r))
	}
	if r.Plan.Limited > 0 {
		p.line("%s for the next sweeps, because one removes only so much: --unlimited lifts that", left(r.Plan.Limited))
	}
	if r.Fault != "" {
		p.line("%s", ink{"Not all went well: " + r.Fault, red})
	}
	p.wayBack(r)
}

func (p *page) total(r api.SweepReport) string {
	text := fmt.Sprintf("Plan %s: removed %s (%s)", r.Plan.Hash, plural(len(r.Removed), "folder"), size(r.Held))
	if len(r.Purged) > 0 {
		text += fmt.Sprintf(", deleted %d for good, freed %s", len(r.Purged), size(r.Freed))
	}
	if len(r.Refused) > 0 {
		text += fmt.Sprintf(", kept %d after all", len(r.Refused))
	}
	return text + ", in " + duration(r.Duration)
}

// wayBack tells how to undo the sweep, as long as that can be done.
func (p *page) wayBack(r api.SweepReport) {
	var until time.Time
	for _, f := range r.Removed {
		if until.IsZero() || !f.Until.IsZero() && f.Until.Before(until) {
			until = f.Until
		}
	}
	switch {
	case len(r.Removed) == 0 || !until.After(p.now):
	case len(r.Removed) == 1:
		p.line("undo: berth logs undo %s %s", short(r.Removed[0].Container), p.within(until))
	default:
		p.line("undo: berth logs undo --plan %s %s", r.Plan.Hash, p.within(until))
	}
}

// done adds a table of folders to which one thing was done.
func (p *page) done(title, style string, folders []api.Folder) {
	t := p.table("~"+title, "CONTAINER", ">SIZE", "~REASON", "<FOLDER")
	for _, f := range folders {
		t.row(ink{f.Service, style}, short(f.Container), size(f.Bytes), f.Reason, f.Path)
	}
	t.draw()
	if len(folders) > 0 {
		p.line("")
	}
}
