package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) events() *cobra.Command {
	var follow bool
	var since uint64
	c := &cobra.Command{
		Use: "events", Args: cobra.NoArgs,
		Short: "What Berth saw and did",
		Long: "What Berth saw and did, oldest first. The newest 1024 events are remembered, until\n" +
			"the daemon ends. With --json, one object a line; a heartbeat shows that a silent\n" +
			"stream lives, and an event of type dropped how many were missed.",
		Example: "  berth events --follow\n" +
			"  berth events --follow --json | jq -c 'select(.type == \"logs.removed\")'\n" +
			"  berth events --since 120",
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more, until interrupted")
	c.Flags().Uint64Var(&since, "since", 0, "sequence number of the last event already seen")
	c.RunE = func(c *cobra.Command, _ []string) error {
		err := s.client().Events(c.Context(), follow, since, s.event)
		if follow && errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	return c
}

// event shows one event at once.
func (s *session) event(e api.Event) error {
	if s.json {
		return s.object(e)
	}
	if s.quiet || e.Type == "heartbeat" {
		return nil
	}
	p := s.page()
	p.event(e)
	return s.write(p.text.Bytes())
}

func (p *page) event(e api.Event) {
	if e.Type == "dropped" {
		p.line("%s", ink{fmt.Sprintf("… %d events are no longer remembered", e.Dropped), yellow})
		return
	}
	p.put("%s %6d  %s", ink{p.clock(e.Time), dim}, e.Seq, ink{fmt.Sprintf("%-20s", printable(e.Type)), bold})
	if e.Service != "" {
		p.put("  %s", e.Service)
	}
	if e.Container != "" {
		p.put("  %s", short(e.Container))
	}
	if e.Folder != "" {
		p.put("  %s", e.Folder)
	}
	if e.Bytes > 0 {
		p.put("  %s", size(e.Bytes))
	}
	if e.Message != "" {
		p.put("  %s", e.Message)
	}
	p.line("")
}
