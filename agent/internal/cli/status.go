package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) status() *cobra.Command {
	var watch, fail bool
	c := &cobra.Command{
		Use:   "status",
		Short: "How the daemon and all that it depends on are doing",
		Long: "The verdict comes first, with what speaks against the daemon, if anything does;\n" +
			"then Docker, log roots, store, disks, configuration and jobs.",
		Example: "  berth status\n" +
			"  berth status --watch\n" +
			"  berth status --fail -q || echo degraded       # exit code 6\n" +
			"  berth status --json | jq -r '.reasons[]'",
		Args: cobra.NoArgs,
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "show it again every 2 seconds, until interrupted")
	c.Flags().BoolVar(&fail, "fail", false, "exit with code 6 if the verdict is not ok")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if watch {
			return s.watchStatus(c.Context(), 2*time.Second)
		}
		status, err := s.client().Status(c.Context())
		if err != nil {
			return err
		}
		if err := s.show(status, func(p *page) { p.status(status) }); err != nil {
			return err
		}
		if fail && status.Verdict != api.OK {
			return outcome(exitDegraded)
		}
		return nil
	}
	return c
}

// watchStatus shows the status again and again. A daemon that goes away and
// comes back is what one watches for: it ends nothing.
func (s *session) watchStatus(ctx context.Context, every time.Duration) error {
	client := s.client()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		status, err := client.Status(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := s.glance(status, err); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// glance shows one of many looks at the status: over the one before on a
// screen, after it elsewhere.
func (s *session) glance(status api.Status, err error) error {
	if _, away := errors.AsType[*api.Unreachable](err); err != nil && (!away || code(err) == exitDenied) {
		return err
	}
	if s.json {
		if err != nil {
			return s.object(api.Check{Level: "fail", Subject: s.socket, Message: err.Error()})
		}
		return s.object(status)
	}
	p := s.page()
	if err != nil {
		p.line("%s %s", ink{"●", red}, err)
	} else {
		p.status(status)
	}
	if !p.screen {
		return s.write(append(p.text.Bytes(), '\n'))
	}
	return s.write(p.frame())
}
