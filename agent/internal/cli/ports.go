package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) ports() *cobra.Command {
	c := &cobra.Command{
		Use:     "ports",
		Short:   "Published ports as other hosts reach them, JMXMP first",
		Example: "  berth ports ls\n  berth ports ls --service orders",
	}
	c.AddCommand(s.portsList())
	return c
}

func (s *session) portsList() *cobra.Command {
	var service string
	c := &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Args: cobra.NoArgs,
		Short:   "List the published ports",
		Example: "  berth ports ls\n  berth ports ls --service orders --json | jq -r '.[] | select(.url != \"\").url'",
	}
	c.Flags().StringVar(&service, "service", "", "of this service alone")
	_ = c.RegisterFlagCompletionFunc("service", s.completeServices)
	c.RunE = func(c *cobra.Command, _ []string) error {
		all, err := s.client().Portmaps(c.Context())
		if err != nil {
			return err
		}
		if service != "" {
			all = slices.DeleteFunc(all, func(m api.Portmap) bool { return m.Service != service })
		}
		return s.show(list(all), func(p *page) { p.portmaps(all, service) })
	}
	return c
}

func (p *page) portmaps(all []api.Portmap, service string) {
	switch {
	case len(all) > 0:
	case service != "":
		p.line("no port of service %s is published on this host", service)
	default:
		p.line("no container on this host publishes a port")
	}
	t := p.table("~SERVICE", ">INSTANCE", "CONTAINER", "PORT", "NAME", "REACHED AT")
	for _, m := range all {
		at := m.URL
		if at == "" {
			at = fmt.Sprintf("%s:%d", m.HostIP, m.HostPort)
		}
		t.row(m.Service, m.Instance, short(m.ID), fmt.Sprintf("%d/%s", m.Port, m.Protocol), m.Name, at)
	}
	t.draw()
}
