package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) why() *cobra.Command {
	return &cobra.Command{
		Use: "why OBJECT", Args: cobra.ExactArgs(1), ValidArgsFunction: s.completeObjects,
		Short:   "Why a container, a log folder or an image was kept or deleted",
		Long:    "All that is known of a container or an image, named by its name or at least 4 digits of\nits ID, or of a log folder, named by its path: the verdict, what it rests on, and every\nline of the audit, oldest first.",
		Example: "  berth why 4f1c2d3e4a5b\n  berth why registry.example.com/orders:211\n  berth why /var/log/apps/orders/containers/4f1c2d3e4a5b",
		RunE: func(c *cobra.Command, args []string) error {
			why, err := s.client().Why(c.Context(), args[0])
			if err != nil {
				return err
			}
			return s.show(why, func(p *page) { p.why(why) })
		},
	}
}

// why adds all that is known. Reasons are what was asked for: they are last in
// their tables and never cut.
func (p *page) why(w api.Why) {
	p.line("%s", ink{w.Verdict, bold})
	if c := w.Container; c != nil {
		p.line("")
		p.fact("Container", ink{text: short(c.ID) + gap + c.Name})
		p.fact("Service", ink{text: c.Service})
		p.fact("State", p.state(*c))
		p.fact("Image", ink{text: c.Image})
		if c.LogFolder != "" {
			p.fact("Logs", ink{text: c.LogFolder})
		}
	}
	folders := p.table("~SERVICE", "CONTAINER", "STATE", "VERDICT", ">SIZE", "WRITTEN", "UNTIL", "<FOLDER", "REASON")
	for _, f := range w.Folders {
		folders.row(f.Service, short(f.Container), f.State, verdictInk(f.Verdict), size(f.Bytes), p.moment(f.Written), p.moment(f.Until), f.Path, f.Reason)
	}
	objects := p.table("<NAME", "ID", "KIND", "VERDICT", ">SIZE", "CAME", "USED", ">USES", "UNTIL", "REASON")
	for _, o := range w.Objects {
		objects.row(o.Name, objectID(o), o.Kind, verdictInk(o.Verdict), size(o.Size), p.moment(o.Came), p.moment(o.Used), count(o.Uses), p.moment(o.Until), o.Reason)
	}
	history := p.table("WHEN", "ACTION", ">SIZE", "BY", "PLAN", "<FOLDER", "REASON")
	for _, r := range w.History {
		history.row(p.moment(r.Time), actionInk(r.Action), size(r.Bytes), r.By, r.Plan, r.Path, r.Reason)
	}
	for _, t := range []*table{folders, objects, history} {
		if len(t.rows) > 0 {
			p.line("")
		}
		t.draw()
	}
}

func actionInk(action string) ink {
	if slices.Contains([]string{"refused", "blind", "removed"}, action) {
		return ink{action, yellow}
	}
	styles := map[string]string{"purged": red, "restored": green, "recovered": green}
	return ink{action, styles[action]}
}
