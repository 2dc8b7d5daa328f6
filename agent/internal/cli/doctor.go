package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
)

func (s *session) doctor() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Args: cobra.NoArgs,
		Short: "Look for what is wrong, and say how to cure it",
		Long: "Look for what is wrong, and say how to cure it. Its exit code is 6 if there is\n" +
			"anything to cure, and 3 if no daemon answers.",
		Example: "  berth doctor\n  berth doctor --json | jq -r '.[] | select(.level != \"ok\").cure'",
		RunE: func(c *cobra.Command, _ []string) error {
			client := s.client()
			checks, err := client.Diagnose(c.Context())
			away, unasked := errors.AsType[*api.Unreachable](err)
			switch {
			case unasked:
				checks = s.withoutDaemon(away)
			case err != nil:
				return err
			default:
				answers := api.Check{Level: "ok", Subject: "daemon", Message: "answers on " + s.socket}
				checks = slices.Insert(checks, 0, answers)
			}
			if err := s.show(checks, func(p *page) { p.checks(checks) }); err != nil {
				return err
			}
			if unasked {
				return outcome(code(away))
			}
			if slices.ContainsFunc(checks, func(c api.Check) bool { return c.Level != "ok" }) {
				return outcome(exitDegraded)
			}
			return nil
		},
	}
}

// withoutDaemon looks at what can keep a daemon from answering.
func (s *session) withoutDaemon(away *api.Unreachable) []api.Check {
	message, cure, _ := strings.Cut(away.Error(), ": ")
	checks := []api.Check{{Level: "fail", Subject: "daemon", Message: message, Cure: cure}}
	from := s.sources(given{})
	_, err := config.Load(from)
	invalid, bad := errors.AsType[*config.Invalid](err)
	if !bad {
		return append(checks, api.Check{Level: "ok", Subject: "configuration", Message: from.File + " can be used"})
	}
	for _, f := range invalid.Faults {
		checks = append(checks, api.Check{Level: "fail", Subject: "configuration", Message: f.String(), Cure: "mend it, then look again with: berth config check " + from.File})
	}
	return checks
}

// checks adds one line for each check, and its cure below.
func (p *page) checks(all []api.Check) {
	styles := map[string]string{"ok": green, "warn": yellow, "fail": red}
	bad := 0
	for _, c := range all {
		level := ink{fmt.Sprintf("%-4s", strings.ToUpper(printable(c.Level))), styles[c.Level]}
		p.line("%s  %s: %s", level, ink{c.Subject, bold}, c.Message)
		if c.Cure != "" {
			p.line("      → %s", c.Cure)
		}
		if c.Level != "ok" {
			bad++
		}
	}
	if bad == 0 {
		p.line("All is well.")
		return
	}
	p.line("%s", plural(bad, "thing")+" to look at.")
}
