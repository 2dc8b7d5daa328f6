package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) docker0() *cobra.Command {
	return &cobra.Command{
		Use: "docker0", Args: cobra.NoArgs,
		Short: "Where containers reach this host, and what applications should use",
		Long: "Docker's bridges and their addresses, the stable address, and where containers can\n" +
			"send dogstatsd to. The same stands in a file that containers can be given.",
		Example: "  berth docker0\n  berth docker0 --json | jq -r '.use[0]'",
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := s.client().Docker0(c.Context())
			if err != nil {
				return err
			}
			return s.show(all, func(p *page) { p.docker0(all) })
		},
	}
}

func (p *page) docker0(d api.Docker0) {
	if len(d.Use) == 0 {
		p.line("containers can send nowhere: no relay listens")
	} else {
		p.fact("Use", ink{d.Use[0], bold})
		p.fact("File", ink{text: d.File})
	}
	if d.Stable != "" {
		p.fact("Stable", ink{text: d.Stable + " on lo"})
	}
	for _, f := range d.Faults {
		p.fact("", ink{f, yellow})
	}
	t := p.table("BRIDGE", ">INDEX", "STATE", "~ADDRESSES")
	for _, b := range d.Bridges {
		state := ink{"down", yellow}
		if b.Up {
			state = ink{"up", green}
		}
		t.row(b.Name, b.Index, state, strings.Join(b.Addresses, ", "))
	}
	t.draw()
}
