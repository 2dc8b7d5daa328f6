package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) logsPlan() *cobra.Command {
	var unlimited bool
	c := &cobra.Command{
		Use: "plan", Args: cobra.NoArgs,
		Short: "What a sweep would do now",
		Long: "What a sweep would do now, with the reason for each folder whose container Docker\n" +
			"does not list. Piped, it is the plan's own text, byte for byte: what its hash is\n" +
			"taken over, and what a sweep with --plan HASH never goes beyond. The summary is then\n" +
			"on the standard error.",
		Example: "  berth logs plan\n  berth logs plan | grep ^remove\n  berth logs sweep --plan $(berth logs plan --json | jq -r .hash)",
		RunE: func(c *cobra.Command, _ []string) error {
			plan, err := s.client().LogPlan(c.Context(), unlimited)
			if err != nil {
				return err
			}
			return s.showPlan(plan, plan)
		},
	}
	c.Flags().BoolVar(&unlimited, "unlimited", false, unlimitedHelp)
	return c
}

const unlimitedHelp = "lift the limits of one sweep: logs.sweep_share, logs.sweep_bytes and logs.sweep_time"

// showPlan writes v, which holds the plan, as JSON, or the plan for people.
// Piped, the standard output is the plan's text and nothing else (J6).
func (s *session) showPlan(v any, l api.LogPlan) error {
	if s.json || s.quiet || s.env.Screen {
		return s.show(v, func(p *page) {
			p.planned(l)
			p.summary(l)
		})
	}
	p := s.page()
	p.summary(l)
	return errors.Join(s.write([]byte(printableLines(l.Text))), writeTo(s.env.Stderr, p.text.Bytes()))
}

// summary adds what a plan comes to, and how to apply it.
func (p *page) summary(l api.LogPlan) {
	for _, note := range l.Notes {
		p.line("note: %s", note)
	}
	if l.Blind != "" {
		p.line("%s", ink{"Nothing may be removed now: " + l.Blind, yellow})
		return
	}
	p.line("Plan %s: %s", ink{l.Hash, bold}, p.sum(l))
	if l.Limited > 0 {
		p.line("%s for the next sweeps, because one removes only so much: --unlimited lifts that", left(l.Limited))
	}
	if l.Remove > 0 {
		p.line("Apply exactly this plan: berth logs sweep --plan %s", l.Hash)
	}
}

// left says how many folders are left over.
func left(n int) string {
	if n == 1 {
		return "1 folder is left"
	}
	return fmt.Sprintf("%d folders are left", n)
}

func (p *page) sum(l api.LogPlan) string {
	if l.Remove == 0 {
		return fmt.Sprintf("nothing to remove, %s kept", plural(l.Keep, "folder"))
	}
	return fmt.Sprintf("%s to remove (%s), %d kept", plural(l.Remove, "folder"), size(l.Bytes), l.Keep)
}

// planned shows the folders that are in question: what goes first.
func (p *page) planned(l api.LogPlan) {
	remove := p.table("~WOULD REMOVE", "CONTAINER", ">SIZE", "WRITTEN", "~REASON", "<FOLDER")
	keep := p.table("~KEPT", "CONTAINER", "UNTIL", "~REASON", "<FOLDER")
	for _, f := range l.Folders {
		switch {
		case f.Verdict == "remove":
			remove.row(ink{f.Service, yellow}, short(f.Container), size(f.Bytes), p.moment(f.Written), f.Reason, f.Path)
		case f.Code != "listed" && f.Code != "blind":
			keep.row(f.Service, short(f.Container), p.moment(f.Until), f.Reason, f.Path)
		}
	}
	for _, t := range []*table{remove, keep} {
		t.draw()
		if len(t.rows) > 0 {
			p.line("")
		}
	}
}
