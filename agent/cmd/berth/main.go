// Command berth is the host agent and the command line to ask it: berth run is
// the daemon, every other command a question to it or to a file. This is the
// one place that knows of signals, arguments and exit codes.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/berth-dev/berth/agent"
	"github.com/berth-dev/berth/agent/internal/cli"
	"github.com/berth-dev/berth/agent/internal/config"
	"github.com/berth-dev/berth/janitor"
	"github.com/berth-dev/berth/janitor/logs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	env := cli.Process()
	env.Run, env.Checks = run, config.Checks{
		Schedule: func(s string) error { _, err := janitor.ParseSchedule(s); return err },
		Pattern:  func(s string) error { _, err := logs.ParsePattern(s); return err },
	}
	os.Exit(cli.Main(ctx, os.Args[1:], env))
}

// run is the daemon. Only there does a hangup mean a reload.
func run(ctx context.Context, from config.Sources) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	return agent.Run(ctx, agent.Options{Config: from, Hangup: hangup, Stderr: os.Stderr, Version: cli.Build()})
}
