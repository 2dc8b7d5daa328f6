package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
)

// A handover is an accepted configuration on its way to take over.
type handover struct {
	next *generation
	done chan struct{} // closed once it has
}

// generations runs one generation after the other: the present one until a
// handover comes, then the next.
func (a *Agent) generations(ctx context.Context) error {
	for {
		g := a.generation()
		a.pin(g)
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- g.run(running) }()
		select {
		case err := <-ended:
			stop()
			return err
		case h := <-a.handover:
			g.replaced.Store(true)
			stop()
			if err := <-ended; err != nil {
				return err
			}
			h.next.monitor.Continue(g.monitor)
			a.adopt(h.next)
			close(h.done)
		}
	}
}

// adopt puts the next generation in the place of one that has stopped. It
// waits for questions that the old one is answering; their contexts are over.
func (a *Agent) adopt(next *generation) {
	a.mu.Lock()
	old := a.now
	a.now = next
	a.mu.Unlock()
	old.close()
	a.level.Set(parseLevel(next.loaded.Config.Log.Level))
}

// hints reloads at each SIGHUP and each time the file has changed.
func (a *Agent) hints(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.options.Hangup:
			a.reloadFor(ctx, "signal")
		case <-a.edited:
			a.reloadFor(ctx, "file")
		}
	}
}

// fileChanged hints at a reload. It does not wait for it: the watcher that
// calls it belongs to the generation that a reload ends.
func (a *Agent) fileChanged() {
	select {
	case a.edited <- struct{}{}:
	default: // a hint is waiting already
	}
}

// reloadFor reloads where nobody waits for the answer.
func (a *Agent) reloadFor(ctx context.Context, by string) {
	if _, err := a.reload(ctx, by); err != nil {
		a.log.Error("reload configuration", "by", by, "err", err)
	}
}

// Reload puts the configuration as it is now in force, or refuses it whole.
func (a *Agent) Reload(ctx context.Context, by api.Peer) (api.Reload, error) {
	return a.reload(ctx, caller(by))
}

func (a *Agent) reload(ctx context.Context, by string) (api.Reload, error) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	old := a.generation()
	loaded, err := config.Load(a.options.Config)
	if err != nil {
		return api.Reload{}, a.reject(err, old.number)
	}
	changed, restart := config.Diff(old.loaded.Config, loaded.Config)
	a.accept(restart)
	answer := api.Reload{Generation: old.number, Changed: changed, Restart: restart}
	if len(changed) == 0 {
		return answer, nil
	}
	next := a.build(keepUntilRestart(loaded, old.loaded), old.number+1)
	next.relayer.set()
	h := &handover{next, make(chan struct{})}
	select {
	case <-ctx.Done():
		old.relayer.set()
		return answer, ctx.Err()
	case a.handover <- h:
	}
	<-h.done
	answer.Generation = next.number
	a.log.Info("reloaded configuration", "by", by, "generation", next.number, "changed", changed, "restart", restart)
	a.feed.Publish(api.Event{Type: "config.reloaded", Message: strings.Join(changed, ", ")})
	return answer, nil
}

// keepUntilRestart keeps the running values of keys that cannot change in a
// running process.
func keepUntilRestart(next, running config.Loaded) config.Loaded {
	n, r := &next.Config, running.Config
	n.Docker.Socket, n.API.Socket, n.API.Group = r.Docker.Socket, r.API.Socket, r.API.Group
	n.StateDir, n.Relay.Listen, n.Log.Format = r.StateDir, r.Relay.Listen, r.Log.Format
	return next
}

// reject remembers the faults for the status and returns the refusal.
func (a *Agent) reject(err error, generation int) error {
	faults := faultsOf(err)
	a.mu.Lock()
	a.rejected = faults
	a.mu.Unlock()
	a.feed.Publish(api.Event{Type: "config.rejected", Message: err.Error()})
	return api.InvalidConfig(faults, "%d faults; generation %d keeps running", len(faults), generation)
}

func (a *Agent) accept(restart []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rejected, a.restart = nil, restart
}

func faultsOf(err error) []api.Fault {
	var invalid *config.Invalid
	if !errors.As(err, &invalid) {
		return []api.Fault{{Message: err.Error()}}
	}
	faults := make([]api.Fault, len(invalid.Faults))
	for i, f := range invalid.Faults {
		faults[i] = api.Fault(f)
	}
	return faults
}

// CheckConfig returns what is wrong with a configuration file's text, beside
// this process's environment and flags.
func (a *Agent) CheckConfig(_ context.Context, text []byte) []api.Fault {
	file, err := os.CreateTemp("", "berth-check-")
	if err != nil {
		return []api.Fault{{Message: err.Error()}}
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return []api.Fault{{Message: err.Error()}}
	}
	sources := a.options.Config
	sources.File = file.Name()
	if _, err = config.Load(sources); err == nil {
		return nil
	}
	faults := faultsOf(err)
	for i := range faults {
		if faults[i].File == file.Name() {
			faults[i].File = ""
		}
	}
	return faults
}

// Config returns the configuration in force.
func (a *Agent) Config(context.Context) api.ConfigShow {
	loaded := a.generation().loaded
	return api.ConfigShow{YAML: loaded.Show(), Sources: loaded.Sources}
}

func (a *Agent) configState() api.ConfigState {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return api.ConfigState{
		File: a.now.loaded.File, Loaded: a.now.built,
		Rejected: slices.Clone(a.rejected), Restart: slices.Clone(a.restart),
	}
}

// caller names a peer for the audit.
func caller(p api.Peer) string { return fmt.Sprintf("uid %d", p.UID) }

// stamp is a time of the API: UTC, without the monotonic reading.
func stamp(t time.Time) time.Time { return t.UTC().Round(0) }
