package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/internal/config"
)

// defaultConfig is the file that is read where none is named. It need not
// exist.
const defaultConfig = "/etc/berth/berth.yaml"

// A given is where a command line says that the configuration comes from.
type given struct {
	file string
	set  []string
}

func (g *given) flags(c *cobra.Command) {
	c.Flags().StringVarP(&g.file, "config", "c", "", "configuration file; also BERTH_CONFIG (default "+defaultConfig+", if it exists)")
	c.Flags().StringArrayVar(&g.set, "set", nil, "key=value in place of the file's, as in logs.grace=2h; can be repeated")
	_ = c.RegisterFlagCompletionFunc("set", cobra.NoFileCompletions)
}

// sources are the file that was named, the environment and the flags.
func (s *session) sources(g given) config.Sources {
	from := config.Sources{File: g.file, Env: s.env.Environ, Set: g.set, Checks: s.env.Checks}
	if from.File == "" {
		from.File = s.env.get("BERTH_CONFIG")
	}
	if from.File == "" {
		from.File, from.Optional = defaultConfig, true
	}
	return from
}

func (s *session) run() *cobra.Command {
	var g given
	c := &cobra.Command{
		Use: "run", Args: cobra.NoArgs,
		Short: "Run the daemon",
		Long: "Run the daemon, until SIGTERM or an interrupt. SIGHUP reloads the configuration. It\n" +
			"runs without root as far as the system lets it, and says what it could not do and\n" +
			"why. Its exit code is 78 if the configuration is invalid.",
		Example: "  berth run\n  berth run --config ./berth.yaml --set log.level=debug",
	}
	g.flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if s.env.Run == nil {
			return errors.New("this build has no daemon")
		}
		return s.env.Run(c.Context(), s.sources(g))
	}
	return c
}
