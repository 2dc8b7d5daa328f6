package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) ports() *cobra.Command {
	c := &cobra.Command{
		Use:     "ports",
		Short:   "Published ports as other hosts reach them, JMXMP first",
		Example: "  berth ports ls\n  berth ports ls --service orders\n  berth ports ls --all-hosts",
	}
	c.AddCommand(s.portsList())
	return c
}

// A portsQuery is what of the ports is asked for.
type portsQuery struct {
	service, format string
	allHosts, watch bool
}

func (s *session) portsList() *cobra.Command {
	var q portsQuery
	c := &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Args: cobra.NoArgs,
		Short: "List the published ports",
		Long: "List the published ports: this host's, or with --all-hosts those of all hosts, from the\n" +
			"central store. With --watch it goes on with what comes and goes, until interrupted.",
		Example: "  berth ports ls\n  berth ports ls --service orders --json | jq -r '.[] | select(.url != \"\").url'\n" +
			"  berth ports ls --all-hosts --service orders --format service-url\n" +
			"  berth ports ls --all-hosts --store etcd://10.0.0.5:2379 --cluster prod --format prom-http-sd",
	}
	f := c.Flags()
	f.StringVar(&q.service, "service", "", "of this service alone")
	f.BoolVar(&q.allHosts, "all-hosts", false, "of all hosts, from the central store; --store means it")
	f.BoolVarP(&q.watch, "watch", "w", false, "go on with what comes and goes; with --all-hosts")
	f.StringVar(&q.format, "format", "table", strings.Join(formats(), ", ")+"; the last two are of what other hosts can reach; with --all-hosts")
	r := s.reading(c)
	_ = c.RegisterFlagCompletionFunc("service", s.completeServices)
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats(), cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, _ []string) error {
		q.allHosts = q.allHosts || c.Flags().Changed("store")
		if err := q.check(); err != nil {
			return err
		}
		if q.allHosts {
			return s.portsOfAll(c, r, q)
		}
		return s.portsHere(c, q.service)
	}
	return c
}

// check finds what does not go together.
func (q portsQuery) check() error {
	switch {
	case !slices.Contains(formats(), q.format):
		return misused("--format is one of %s, not %q", strings.Join(formats(), ", "), q.format)
	case !q.allHosts && (q.watch || q.format != "table"):
		return misused("--watch and --format need --all-hosts")
	case q.watch && q.format != "table" && q.format != "json":
		return misused("--watch tells of changes, and %s has no form for them", q.format)
	}
	return nil
}

// portsOfAll shows the ports of all hosts.
func (s *session) portsOfAll(c *cobra.Command, r *reading, q portsQuery) error {
	if q.watch {
		s.json = s.json || q.format == "json"
		return s.watchPorts(c.Context(), r, q.service)
	}
	records, err := s.records(c.Context(), r)
	if err != nil {
		return err
	}
	all, err := allPorts(records, q.service)
	if err != nil {
		return err
	}
	return s.showPorts(all, q.format, q.service)
}

// portsHere shows this host's ports.
func (s *session) portsHere(c *cobra.Command, service string) error {
	all, err := s.client().Portmaps(c.Context())
	if err != nil {
		return err
	}
	if service != "" {
		all = slices.DeleteFunc(all, func(m api.Portmap) bool { return m.Service != service })
	}
	return s.show(list(all), func(p *page) { p.portmaps(all, service) })
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
