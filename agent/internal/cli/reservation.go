package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) reservation() *cobra.Command {
	return &cobra.Command{
		Use: "reservation", Args: cobra.NoArgs,
		Short:   "What of this host's CPU and memory is reserved, and by whom",
		Long:    "What this host has registered with its cluster, what of it tasks have reserved, and\nwhat containers that ECS does not know take beside it. CPU is in units, 1024 to a\ncore.",
		Example: "  berth reservation\n  berth reservation --json | jq '.memory.reserved / .memory.registered'",
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := s.client().Reservation(c.Context())
			if err != nil {
				return err
			}
			return s.show(r, func(p *page) { p.reservation(r) })
		},
	}
}

func (p *page) reservation(r api.Reservation) {
	t := p.table("RESOURCE", ">REGISTERED", ">RESERVED", ">UNMANAGED", ">FREE", ">RESERVED %")
	for _, v := range []struct {
		name  string
		of    api.Vector
		shown func(int64) string
	}{{"CPU", r.CPU, number}, {"memory", r.Memory, mebibytes}} {
		t.row(v.name, v.shown(v.of.Registered), v.shown(v.of.Reserved), v.shown(v.of.Unmanaged), v.shown(v.of.Registered-v.of.Reserved), share(v.of))
	}
	t.draw()
	if r.Source != "" {
		p.line("sizes from %s", r.Source)
	}
	if !r.Exact {
		p.line("%s", ink{"the sizes are not exact", yellow})
	}
	for _, note := range r.Notes {
		p.line("  %s", note)
	}
	if len(r.Tasks) > 0 {
		p.line("")
	}
	tasks := p.table("~SERVICE", "TASK", ">CPU", ">MEMORY", "CONTAINERS", "~WHY")
	for _, k := range r.Tasks {
		var ids []string
		for _, id := range k.Containers {
			ids = append(ids, short(id))
		}
		tasks.row(k.Service, task(k.Task), k.CPU, mebibytes(k.Memory), strings.Join(ids, ","), k.Why)
	}
	tasks.draw()
}

func number(n int64) string { return fmt.Sprint(n) }

func mebibytes(n int64) string {
	if n < 0 { // more is reserved than there is
		return "-" + size(-n<<20)
	}
	return size(n << 20)
}

// share is how much of what is registered is reserved.
func share(v api.Vector) string {
	if v.Registered <= 0 {
		return ""
	}
	return percent(100 * float64(v.Reserved) / float64(v.Registered))
}
