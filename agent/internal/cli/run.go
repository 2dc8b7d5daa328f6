package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
	var level string
	var withdraw bool
	c := &cobra.Command{
		Use: "run", Args: cobra.NoArgs,
		Short: "Run the daemon",
		Long: "Run the daemon, until SIGTERM or an interrupt. SIGHUP reloads the configuration. It\n" +
			"runs without root as far as the system lets it, and says what it could not do and\n" +
			"why. Its exit code is 78 if the configuration is invalid.",
		Example: "  berth run\n  berth run --config ./berth.yaml --log-level debug --set logs.grace=2h",
	}
	g.flags(c)
	levels := []string{"debug", "info", "warn", "error"}
	c.Flags().StringVar(&level, "log-level", "", "least severe message that is logged, in place of log.level: "+strings.Join(levels, ", "))
	_ = c.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions(levels, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().BoolVar(&withdraw, "withdraw", false, "take the host's record out of the store at the end, in place of publish.withdraw")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if s.env.Run == nil {
			return errors.New("this build has no daemon")
		}
		if c.Flags().Changed("log-level") {
			if !slices.Contains(levels, level) {
				return misused("--log-level is %s, not %q", strings.Join(levels, ", "), level)
			}
			g.set = append(g.set, "log.level="+level)
		}
		if c.Flags().Changed("withdraw") {
			g.set = append(g.set, fmt.Sprintf("publish.withdraw=%t", withdraw))
		}
		return s.env.Run(c.Context(), s.sources(g))
	}
	return c
}
