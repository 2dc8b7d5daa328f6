package cli

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/berth-dev/berth/agent/internal/config"
)

// An Env is what a command has of the process it runs in.
type Env struct {
	Stdout, Stderr io.Writer
	Environ        []string         // NAME=value, as os.Environ gives it
	Screen         bool             // Stdout is a terminal
	Width          func() int       // of the terminal, in characters; nil or 0: unknown
	Now            func() time.Time // nil: time.Now
	Checks         config.Checks    // for config check

	// Run is the daemon: it returns when ctx ends. Its error is a
	// [*config.Invalid] where the configuration cannot be used.
	Run func(ctx context.Context, from config.Sources) error
}

// Process returns the environment of this process. Checks and Run are left to
// the caller.
func Process() Env {
	out := int(os.Stdout.Fd())
	return Env{
		Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(), Screen: term.IsTerminal(out),
		Width: func() int {
			width, _, err := term.GetSize(out)
			if err != nil {
				return 0
			}
			return width
		},
	}
}

// get returns an environment variable; the last of the same name wins.
func (e Env) get(name string) string {
	value := ""
	for _, entry := range e.Environ {
		if key, v, ok := strings.Cut(entry, "="); ok && key == name {
			value = v
		}
	}
	return value
}
