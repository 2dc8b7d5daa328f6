package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent/api"
)

// Main runs the command that args name and returns the exit code. Cancelling
// ctx ends the command.
func Main(ctx context.Context, args []string, env Env) int {
	s, root := build(env)
	root.SetArgs(args)
	ran, err := root.ExecuteContextC(ctx)
	if err != nil && !s.started {
		err = misuse{err}
	}
	if err != nil {
		explain(env.Stderr, ran.CommandPath(), err)
	}
	return code(err)
}

// New returns the whole tree of commands, for whoever documents it.
func New(env Env) *cobra.Command {
	_, root := build(env)
	return root
}

// A session is one run of the command line.
type session struct {
	env     Env
	socket  string
	color   string
	timeout time.Duration
	json    bool
	quiet   bool
	started bool // the command line was right, and its command has begun
}

// Groups of commands in the help.
const (
	look  = "look"
	act   = "act"
	setUp = "set up"
)

func build(env Env) (*session, *cobra.Command) {
	s := &session{env: env}
	root := &cobra.Command{
		Use:   "berth",
		Short: "The host agent for container hosts",
		Long: "Berth looks after a container host: it sweeps the log folders of dead containers,\n" +
			"publishes where the live ones listen, and says what it did and why.\n\n" +
			"Start with: berth status",
		Version:       Build().Version,
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	s.flags(root)
	root.AddGroup(
		&cobra.Group{ID: look, Title: "Look:"},
		&cobra.Group{ID: act, Title: "Act:"},
		&cobra.Group{ID: setUp, Title: "Set up:"},
	)
	add(root, look, s.status(), s.ps(), s.why(), s.events(), s.ports(), s.relay(), s.docker0(), s.reservation(), s.store(), s.doctor())
	add(root, act, s.logs(), s.images(), s.jobs(), s.reload())
	root.SetHelpCommandGroupID(setUp)
	add(root, setUp, s.run(), s.config(), s.version(), s.completion(), s.man())
	return s, s.finish(root)
}

func add(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

func (s *session) flags(root *cobra.Command) {
	socket := "/run/berth/berth.sock"
	if named := s.env.get("BERTH_SOCKET"); named != "" {
		socket = named
	}
	f := root.PersistentFlags()
	f.StringVar(&s.socket, "socket", socket, "path of the daemon's socket; also BERTH_SOCKET")
	f.BoolVar(&s.json, "json", false, "print JSON")
	f.StringVar(&s.color, "color", "auto", "auto, always or never; auto heeds NO_COLOR")
	f.DurationVar(&s.timeout, "timeout", 10*time.Second, "how long to wait for an answer, 0: for ever; sweeps and runs are waited for to their end")
	f.BoolVarP(&s.quiet, "quiet", "q", false, "print nothing for people; the exit code tells")
	_ = root.RegisterFlagCompletionFunc("color", cobra.FixedCompletions(colors(), cobra.ShellCompDirectiveNoFileComp))
}

func colors() []string { return []string{"auto", "always", "never"} }

// finish makes every command check what cobra would let pass: a word after a
// group of commands that names none of them, and the value of --color. It
// notes when a command begins: errors before that are misuse.
func (s *session) finish(c *cobra.Command) *cobra.Command {
	for _, sub := range c.Commands() {
		s.finish(sub)
	}
	if c.HasSubCommands() {
		c.SuggestionsMinimumDistance = 2
		c.Args = cobra.ArbitraryArgs
		c.RunE = s.group
	}
	if begin := c.RunE; begin != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			if !slices.Contains(colors(), s.color) {
				return misused("--color is auto, always or never, not %q", s.color)
			}
			s.started = true
			return begin(c, args)
		}
	}
	return c
}

// group shows what there is below a command.
func (s *session) group(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	near := ""
	if names := c.SuggestionsFor(args[0]); len(names) > 0 {
		near = " (did you mean " + c.CommandPath() + " " + names[0] + "?)"
	}
	return misused("there is no command %s %s%s", c.CommandPath(), args[0], near)
}

func (s *session) client() *api.Client { return api.NewClient(s.socket, s.timeout) }
