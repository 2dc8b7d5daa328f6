package cli

import (
	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

func (s *session) images() *cobra.Command {
	c := &cobra.Command{
		Use:   "images",
		Short: "Images, and what else Docker stores: what there is, what goes, what went",
		Long: "Images in Docker's store, and, where the configuration wants that, stopped containers\n" +
			"that ECS does not own, anonymous volumes and the build cache. What is in use, young,\n" +
			"pinned or among the newest of its repository stays; of the rest goes what was not used\n" +
			"for images.min_age.",
		Example: "  berth images ls\n  berth images plan\n  berth images sweep --dry-run",
	}
	c.AddCommand(s.imagesList(), s.imagesPlan(), s.imagesSweep(), s.imagesHistory())
	return c
}

func (s *session) imagesList() *cobra.Command {
	return &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Args: cobra.NoArgs,
		Short: "List the images, and what the janitor knows and thinks of each",
		Long: "List the images, and what the janitor knows and thinks of each. FREES is what becomes free\n" +
			"if it goes with all before it: what it shares with others goes with the last of them.",
		Example: "  berth images ls\n  berth images ls --json | jq -r '.[] | select(.uses == 0).name'",
		RunE: func(c *cobra.Command, _ []string) error {
			objects, err := s.client().Images(c.Context())
			if err != nil {
				return err
			}
			return s.show(list(objects), func(p *page) {
				if len(objects) == 0 {
					p.line("there is nothing in Docker's store, or it cannot be seen: berth status")
				}
				p.objects(objects)
			})
		},
	}
}

// objects adds a table of what is in Docker's store.
func (p *page) objects(all []api.Object) {
	t := p.table("<NAME", "ID", "KIND", "VERDICT", ">SIZE", ">FREES", "USED", ">USES", "~REASON")
	for _, o := range all {
		t.row(o.Name, objectID(o), o.Kind, verdictInk(o.Verdict), size(o.Size), size(o.Bytes),
			p.moment(o.Used), count(o.Uses), o.Reason)
	}
	t.draw()
}

func (s *session) imagesHistory() *cobra.Command {
	return s.history("What was removed from Docker's store and what was refused, and why",
		"  berth images history\n  berth images history --limit 500 --json | jq -c '.[] | select(.action == \"refused\")'",
		(*api.Client).ImageHistory, (*page).imageHistory)
}

// imageHistory adds lines of the audit in their order.
func (p *page) imageHistory(records []api.Record) {
	t := p.table("WHEN", "ACTION", "KIND", "<NAME", "ID", ">FREES", "BY", "PLAN", "~REASON")
	for _, r := range records {
		t.row(p.moment(r.Time), actionInk(r.Action), r.Kind, r.Path, short(r.Container), size(r.Bytes), r.By, r.Plan, r.Reason)
	}
	t.draw()
}

func (s *session) imagesPlan() *cobra.Command {
	var untilLow bool
	c := &cobra.Command{
		Use: "plan", Args: cobra.NoArgs,
		Short: "What a sweep of the images would do now",
		Long: "What a sweep of the images would do now, with the reason for each that no container\n" +
			"uses. What goes comes first, in its order. Piped, it is the plan's own text, byte for\n" +
			"byte: what its hash is taken over, and what a sweep with --plan HASH never goes beyond.",
		Example: "  berth images plan\n  berth images plan --until-low\n  berth images sweep --plan $(berth images plan --json | jq -r .hash)",
		RunE: func(c *cobra.Command, _ []string) error {
			plan, err := s.client().ImagePlan(c.Context(), untilLow)
			if err != nil {
				return err
			}
			return s.showImagePlan(plan, plan)
		},
	}
	c.Flags().BoolVar(&untilLow, "until-low", false, untilLowHelp)
	return c
}

const untilLowHelp = "no more than it takes to bring the disk below disk.low, cheapest first"

func (s *session) imagesSweep() *cobra.Command {
	var request api.ImageSweepRequest
	c := &cobra.Command{
		Use: "sweep", Args: cobra.NoArgs,
		Short: "Sweep the images now",
		Long: "Sweep the images now and wait for the end. An image first loses its names and is deleted\n" +
			"some seconds later: who wants it in between has it back at once. It takes the rights to\n" +
			"operate: root, the daemon's own user or a member of the operator group.",
		Example: "  berth images sweep --dry-run\n  berth images sweep\n  berth images sweep --until-low\n  berth images sweep --plan 7c1f0a9be2d4",
	}
	f := c.Flags()
	f.StringVar(&request.Plan, "plan", "", "apply only what the plan with this hash names")
	f.BoolVar(&request.DryRun, "dry-run", false, "plan only")
	f.BoolVar(&request.UntilLow, "until-low", false, untilLowHelp)
	_ = c.RegisterFlagCompletionFunc("plan", cobra.NoFileCompletions)
	c.RunE = func(c *cobra.Command, _ []string) error {
		waited := s.waiting("sweeping images…")
		report, err := s.client().ImageSweep(c.Context(), request)
		waited()
		if err != nil {
			return err
		}
		if err := s.showImageSweep(report); err != nil {
			return err
		}
		if report.Fault != "" || len(report.Lost) > 0 || report.Plan.Blind != "" && !report.DryRun {
			return outcome(exitFailed)
		}
		return nil
	}
	return c
}
