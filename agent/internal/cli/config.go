package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
)

func (s *session) config() *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		Short:   "Check, show and document the configuration",
		Example: "  berth config check\n  berth config show --sources\n  berth config default > berth.yaml",
	}
	c.AddCommand(s.configCheck(), s.configShow(),
		s.configText("default", "Print the default configuration file", "  berth config default > /etc/berth/berth.yaml", config.DefaultFile),
		s.configText("schema", "Print the JSON Schema of the configuration file", "  berth config schema > berth.schema.json", config.Schema),
		s.configText("reference", "Print the table of all keys, in Markdown", "  berth config reference | less", config.Reference))
	return c
}

// configText is a command that prints what this build knows of its
// configuration.
func (s *session) configText(name, short, example string, text func() []byte) *cobra.Command {
	return &cobra.Command{
		Use: name, Args: cobra.NoArgs, Short: short, Example: example,
		RunE: func(*cobra.Command, []string) error {
			if s.json && name != "schema" {
				return s.document(string(text()))
			}
			return s.write(text())
		},
	}
}

func (s *session) configCheck() *cobra.Command {
	var g given
	c := &cobra.Command{
		Use: "check [FILE]", Args: cobra.MaximumNArgs(1),
		Short: "Find everything that is wrong with a configuration",
		Long: "Find everything that is wrong with a configuration: the file, the environment and\n" +
			"the flags, as berth run would read them here. It needs no daemon. Its exit code is\n" +
			"78 if anything is wrong.",
		Example: "  berth config check\n  berth config check ./berth.yaml\n  berth config check --json ./berth.yaml | jq -r '.[].key'",
	}
	g.flags(c)
	c.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) == 1 && g.file != "" {
			return misused("name one file to check, not %s and %s", args[0], g.file)
		}
		if len(args) == 1 {
			g.file = args[0]
		}
		from := s.sources(g)
		loaded, err := config.Load(from)
		if invalid, ok := errors.AsType[*config.Invalid](err); ok && s.json {
			return errors.Join(s.document(invalid.Faults), outcome(exitInvalid))
		}
		if err != nil {
			return err
		}
		return s.show([]config.Fault{}, func(p *page) { p.checked(from.File, loaded) })
	}
	return c
}

// checked says that a configuration can be used.
func (p *page) checked(file string, loaded config.Loaded) {
	if loaded.File == "" {
		p.line("%s does not exist: the defaults are in force, and %s", file, ink{"ok", green})
	} else {
		p.line("%s: %s", loaded.File, ink{"ok", green})
	}
}

func (s *session) configShow() *cobra.Command {
	var sources bool
	c := &cobra.Command{
		Use: "show", Args: cobra.NoArgs,
		Short:   "Show the configuration in force, secrets masked",
		Example: "  berth config show\n  berth config show --sources | grep -v default",
	}
	c.Flags().BoolVar(&sources, "sources", false, "show where each key was given instead")
	c.RunE = func(c *cobra.Command, _ []string) error {
		shown, err := s.client().Config(c.Context())
		if err != nil {
			return err
		}
		return s.show(shown, func(p *page) {
			if sources {
				p.sources(shown)
				return
			}
			p.block(shown.YAML)
		})
	}
	return c
}

func (p *page) sources(shown api.ConfigShow) {
	t := p.table("KEY", "~GIVEN IN")
	for _, key := range slices.Sorted(maps.Keys(shown.Sources)) {
		from, style := shown.Sources[key], ""
		if from == "default" {
			style = dim
		}
		t.row(key, ink{from, style})
	}
	t.draw()
}

// faultText is a fault on one line, without its file if that is not known.
func faultText(f api.Fault) string {
	text := config.Fault(f).String()
	if f.File == "" && f.Line > 0 {
		return fmt.Sprintf("line %s", text[1:])
	}
	return text
}
