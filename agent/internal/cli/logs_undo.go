package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) logsUndo() *cobra.Command {
	var request api.UndoRequest
	c := &cobra.Command{
		Use: "undo [CONTAINER | FOLDER]...", Args: cobra.ArbitraryArgs, ValidArgsFunction: s.completeRestorable,
		Short: "Bring back log folders that were removed",
		Long: "Bring back log folders that a sweep removed: the same files in the same place. What\n" +
			"was brought back is left alone for the grace time of unknown containers. It takes\n" +
			"the rights to operate: root, the daemon's own user or a member of the operator group.",
		Example: "  berth logs undo 4f1c2d3e4a5b\n  berth logs undo 4f1c2d3e4a5b 9a20b3c4d5e6\n  berth logs undo --last\n  berth logs undo --plan 7c1f0a9be2d4",
	}
	c.Flags().BoolVar(&request.Last, "last", false, "all that the newest sweep removed")
	c.Flags().StringVar(&request.Plan, "plan", "", "all that was removed under this plan's hash")
	_ = c.RegisterFlagCompletionFunc("plan", cobra.NoFileCompletions)
	c.RunE = func(c *cobra.Command, args []string) error {
		named := min(len(args), 1)
		for _, flag := range []string{"last", "plan"} {
			if c.Flags().Changed(flag) {
				named++
			}
		}
		requests := []api.UndoRequest{request}
		if len(args) > 0 {
			requests = nil
			for _, object := range args {
				requests = append(requests, api.UndoRequest{Container: object})
			}
		}
		if named != 1 || slices.Contains(requests, api.UndoRequest{}) {
			return misused("name what to bring back: containers, folders, --last or --plan HASH, and only one of them")
		}
		return s.bringBack(c.Context(), requests)
	}
	return c
}

// bringBack asks for each in turn and shows what came of all. One that is
// refused does not keep the others.
func (s *session) bringBack(ctx context.Context, requests []api.UndoRequest) error {
	var all api.UndoReport
	var errs []error
	for _, r := range requests {
		report, err := s.client().LogUndo(ctx, r)
		if err != nil && len(requests) > 1 {
			err = fmt.Errorf("bring back %s: %w", r.Container, err)
		}
		errs = append(errs, err)
		all.Restored = append(all.Restored, report.Restored...)
		all.Failed = append(all.Failed, report.Failed...)
	}
	err := errors.Join(errs...)
	if err != nil && len(all.Restored)+len(all.Failed) == 0 {
		return err
	}
	all.Restored, all.Failed = list(all.Restored), list(all.Failed)
	if shown := s.show(all, func(p *page) { p.undo(all) }); shown != nil || err != nil {
		return errors.Join(err, shown)
	}
	if len(all.Failed) > 0 {
		return outcome(exitFailed)
	}
	return nil
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
