package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) logsUndo() *cobra.Command {
	var request api.UndoRequest
	c := &cobra.Command{
		Use: "undo [CONTAINER | FOLDER]", Args: cobra.MaximumNArgs(1), ValidArgsFunction: s.completeRestorable,
		Short: "Bring back log folders that were removed",
		Long: "Bring back log folders that a sweep removed: the same files in the same place. What\n" +
			"was brought back is left alone for the grace time of unknown containers. It takes\n" +
			"the rights to operate: root, the daemon's own user or a member of the operator group.",
		Example: "  berth logs undo 4f1c2d3e4a5b\n  berth logs undo --last\n  berth logs undo --plan 7c1f0a9be2d4",
	}
	c.Flags().BoolVar(&request.Last, "last", false, "all that the newest sweep removed")
	c.Flags().StringVar(&request.Plan, "plan", "", "all that was removed under this plan's hash")
	_ = c.RegisterFlagCompletionFunc("plan", cobra.NoFileCompletions)
	c.RunE = func(c *cobra.Command, args []string) error {
		named := len(args)
		for _, flag := range []string{"last", "plan"} {
			if c.Flags().Changed(flag) {
				named++
			}
		}
		if len(args) == 1 {
			request.Container = args[0]
		}
		if named != 1 || request == (api.UndoRequest{}) {
			return misused("name what to bring back: a container, a folder, --last or --plan HASH, and only one of them")
		}
		report, err := s.client().LogUndo(c.Context(), request)
		if err != nil {
			return err
		}
		if err := s.show(report, func(p *page) { p.undo(report) }); err != nil {
			return err
		}
		if len(report.Failed) > 0 {
			return outcome(exitFailed)
		}
		return nil
	}
	return c
}

func (p *page) undo(r api.UndoReport) {
	p.done("BROUGHT BACK", green, r.Restored)
	p.done("NOT BROUGHT BACK", red, r.Failed)
	text := "Brought back " + plural(len(r.Restored), "folder")
	if len(r.Restored) > 0 && r.Restored[0].Until.After(p.now) {
		text += "; sweeps keep their hands off until " + r.Restored[0].Until.UTC().Format(time.RFC3339)
	}
	if len(r.Failed) > 0 {
		text += fmt.Sprintf("; %d could not be", len(r.Failed))
	}
	p.line("%s", text)
}
