package cli

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) logs() *cobra.Command {
	c := &cobra.Command{
		Use:   "logs",
		Short: "Log folders of containers: what there is, what goes, what went",
		Long: "Log folders of containers. A folder whose container is gone is swept once its grace\n" +
			"time is over; what was swept can be brought back until its undo window ends.",
		Example: "  berth logs plan\n  berth logs sweep\n  berth logs undo --last",
	}
	c.AddCommand(s.logsList(), s.logsPlan(), s.logsSweep(), s.logsUndo(), s.logsHistory())
	return c
}

func (s *session) logsList() *cobra.Command {
	var largest bool
	c := &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Args: cobra.NoArgs,
		Short: "List the log folders, and what the janitor thinks of each",
		Long: "List the log folders, and what the janitor thinks of each. With --largest those of living\n" +
			"containers are looked into as well, which may take a while, and the largest come first.",
		Example: "  berth logs ls\n  berth logs ls --largest\n  berth logs ls --json | jq '[.[] | select(.state == \"restorable\").bytes] | add'",
		RunE: func(c *cobra.Command, _ []string) error {
			folders, err := s.client().LogFolders(c.Context(), largest)
			if err != nil {
				return err
			}
			if largest {
				slices.SortStableFunc(folders, func(a, b api.Folder) int { return cmp.Compare(b.Bytes, a.Bytes) })
			}
			return s.show(list(folders), func(p *page) {
				if len(folders) == 0 {
					p.line("there is no log folder of a container")
				}
				p.folders(folders)
			})
		},
	}
	c.Flags().BoolVar(&largest, "largest", false, "measure every folder, the largest first")
	return c
}

// folders adds a table of folders as they are now.
func (p *page) folders(all []api.Folder) {
	t := p.table("~SERVICE", "CONTAINER", "STATE", "VERDICT", ">SIZE", "WRITTEN", "UNTIL", "~REASON", "<FOLDER")
	for _, f := range all {
		t.row(f.Service, short(f.Container), f.State, verdictInk(f.Verdict), size(f.Bytes),
			p.moment(f.Written), p.moment(f.Until), f.Reason, f.Path)
	}
	t.draw()
}

func verdictInk(verdict string) ink {
	styles := map[string]string{"remove": yellow, "purge": dim}
	return ink{verdict, styles[verdict]}
}

func (s *session) logsHistory() *cobra.Command {
	return s.history("What was removed, restored, deleted for good and refused, and why",
		"  berth logs history\n  berth logs history --limit 500 --json | jq -c '.[] | select(.action == \"refused\")'",
		(*api.Client).LogHistory, (*page).history)
}

// history is a command that shows a part of the audit.
func (s *session) history(what, example string, ask func(*api.Client, context.Context, int) ([]api.Record, error), draw func(*page, []api.Record)) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "history", Args: cobra.NoArgs, Short: what,
		Long:    "The newest lines of the janitor's audit, oldest first.",
		Example: example,
	}
	c.Flags().IntVarP(&limit, "limit", "n", 50, "how many lines at most; 0: the daemon's own limit")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if limit < 0 {
			return misused("--limit is a number from 0, not %d", limit)
		}
		records, err := ask(s.client(), c.Context(), limit)
		if err != nil {
			return err
		}
		return s.show(list(records), func(p *page) {
			if len(records) == 0 {
				p.line("nothing has been removed, restored or refused yet")
			}
			draw(p, records)
		})
	}
	return c
}

// history adds lines of the audit in their order.
func (p *page) history(records []api.Record) {
	t := p.table("WHEN", "ACTION", "~SERVICE", "CONTAINER", ">SIZE", "BY", "PLAN", "~REASON", "<FOLDER")
	for _, r := range records {
		t.row(p.moment(r.Time), actionInk(r.Action), r.Service, short(r.Container), size(r.Bytes), r.By, r.Plan, r.Reason, r.Path)
	}
	t.draw()
}
