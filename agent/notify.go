package agent

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// A notifier tells systemd how the daemon is. Outside systemd it does nothing.
type notifier struct {
	live func(context.Context) error // proves that the daemon still answers
	log  *slog.Logger
}

func (n *notifier) say(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		n.log.Warn("tell systemd", "err", err)
	}
}

func (n *notifier) ready(status string)  { n.say(daemon.SdNotifyReady + "\nSTATUS=" + status) }
func (n *notifier) status(status string) { n.say("STATUS=" + status) }
func (n *notifier) stopping()            { n.say(daemon.SdNotifyStopping) }

// Run pets systemd's watchdog at half its period, but only after the daemon
// has answered a question of its own: one that hangs is killed and restarted
// with the stacks of its goroutines in the journal.
func (n *notifier) Run(ctx context.Context) error {
	period, err := daemon.SdWatchdogEnabled(false)
	if err != nil || period <= 0 {
		if err != nil {
			n.log.Warn("read systemd's watchdog period", "err", err)
		}
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(period / 2)
	defer tick.Stop()
	for {
		if err := n.answers(ctx, period/4); err != nil {
			n.log.Error("daemon does not answer itself; the watchdog is not told", "err", err)
		} else {
			n.say(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// answers asks the question in a goroutine, because a lock that is never
// released heeds no deadline.
func (n *notifier) answers(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- n.live(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
