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
		Short: "What of this host's CPU and memory is reserved, and by whom",
		Long: "What this host has registered with its cluster, what of it tasks have reserved, and\n" +
			"what containers that ECS does not count take beside it. CPU is in units, 1024 to a\n" +
			"core. A task that is to stop stays reserved until it has stopped, as the ECS agent\n" +
			"counts; it is no longer scheduled, as the control plane counts. Each task says how\n" +
			"its size was found.",
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
	t := p.table("RESOURCE", ">REGISTERED", ">RESERVED", ">SCHEDULED", ">UNMANAGED", ">FREE", ">RESERVED %")
	for _, v := range []struct {
		name  string
		of    api.Vector
		shown func(int64) string
	}{{"CPU", r.CPU, number}, {"memory", r.Memory, mebibytes}, {"GPU", r.GPU, number}} {
		if v.name == "GPU" && v.of == (api.Vector{}) {
			continue
		}
		t.row(v.name, v.shown(v.of.Registered), v.shown(v.of.Reserved), v.shown(v.of.Scheduled), v.shown(v.of.Unmanaged), v.shown(v.of.Registered-v.of.Reserved), share(v.of))
	}
	t.draw()
	if len(r.Ports) > 0 {
		p.line("host ports %s", strings.Join(r.Ports, " "))
	}
	if r.Pending > 0 || r.Stopping > 0 {
		p.line("%s pending, %d to stop", plural(r.Pending, "task"), r.Stopping)
	}
	if r.Source != "" {
		p.line("from %s", r.Source)
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
	tasks := p.table("~SERVICE", "TASK", "COUNTS", ">CPU", ">MEMORY", "CONTAINERS", "~WHY")
	for _, k := range r.Tasks {
		var ids []string
		for _, id := range k.Containers {
			ids = append(ids, short(id))
		}
		tasks.row(k.Service, task(k.Task), k.Status, k.CPU, mebibytes(k.Memory), strings.Join(ids, ","), k.Why)
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
