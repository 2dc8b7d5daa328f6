package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func (s *session) completion() *cobra.Command {
	shells := map[string]func(*cobra.Command, io.Writer) error{
		"bash":       func(c *cobra.Command, w io.Writer) error { return c.GenBashCompletionV2(w, true) },
		"zsh":        (*cobra.Command).GenZshCompletion,
		"fish":       func(c *cobra.Command, w io.Writer) error { return c.GenFishCompletion(w, true) },
		"powershell": (*cobra.Command).GenPowerShellCompletionWithDesc,
	}
	return &cobra.Command{
		Use: "completion SHELL", ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:  cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		Short: "Print the completion script for bash, zsh, fish or powershell",
		Example: "  berth completion bash > /etc/bash_completion.d/berth\n" +
			"  berth completion zsh > \"${fpath[1]}/_berth\"\n" +
			"  berth completion fish > ~/.config/fish/completions/berth.fish",
		RunE: func(c *cobra.Command, args []string) error {
			if err := shells[args[0]](c.Root(), s.env.Stdout); err != nil {
				return fmt.Errorf("write completion script: %w", err)
			}
			return nil
		},
	}
}
