package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) reload() *cobra.Command {
	return &cobra.Command{
		Use: "reload", Args: cobra.NoArgs,
		Short: "Make the daemon read its configuration again",
		Long: "Make the daemon read its configuration again, and wait until it is in force. A\n" +
			"configuration with faults is refused whole, with exit code 78, and the one in force\n" +
			"stays. It takes the rights to operate: root, the daemon's own user or a member of\n" +
			"the operator group.",
		Example: "  berth config check && berth reload",
		RunE: func(c *cobra.Command, _ []string) error {
			reload, err := s.client().Reload(c.Context())
			if err != nil {
				return err
			}
			return s.show(reload, func(p *page) { p.reload(reload) })
		},
	}
}

func (p *page) reload(r api.Reload) {
	if len(r.Changed) == 0 {
		p.line("nothing has changed: generation %d runs on", r.Generation)
	} else {
		p.line("generation %d runs, with changes of %s", r.Generation, strings.Join(r.Changed, ", "))
	}
	if len(r.Restart) > 0 {
		p.line("%s", ink{"waiting for a restart: " + strings.Join(r.Restart, ", "), yellow})
	}
}
