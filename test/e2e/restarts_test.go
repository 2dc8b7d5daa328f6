package e2e_test

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/engine"
)

const (
	sweepsPerEngine   = 50
	restartsPerEngine = 4 // by TERM and KILL in turn
)

// TestRestartsOfDockerCostNoFolder: while Docker goes and comes back, sweeps
// see errors, short moments of nothing and containers that have died with it.
// J2, J3.
func TestRestartsOfDockerCostNoFolder(t *testing.T) {
	t.Parallel()
	t.Run("containers die with it", func(t *testing.T) { t.Parallel(); restarts(t) })
	t.Run("containers outlive it", func(t *testing.T) { t.Parallel(); restarts(t, "--live-restore") })
}

func restarts(t *testing.T, flags ...string) {
	e := engine.Private(t, flags...)
	d := launch(t, settings{"docker.socket": e.Socket(), "logs.unknown_grace": "0s"})
	mount := d.mount("orders")
	stay := population(t, d, e, mount)
	dead := marked(t, filepath.Join(mount, "00000000dead"))
	pid := d.cmd.Process.Pid

	var sweeps, removed atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sweeping sync.WaitGroup
	berth := d.dial(t)
	sweeping.Go(func() {
		for ctx.Err() == nil {
			report, err := berth.sweep(api.SweepRequest{})
			if err == nil {
				removed.Add(int64(len(report.Removed)))
			}
			sweeps.Add(1)
		}
	})
	for n := range restartsPerEngine {
		e.Down(t, []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}[n%2])
		at := sweeps.Load()
		eventually(t, "sweeps while Docker is away", func() bool { return sweeps.Load() > at+1 })
		e.Up(t)
		untouched(t, stay...)
	}
	eventually(t, "enough sweeps", func() bool { return sweeps.Load() >= sweepsPerEngine })
	d.healthy()
	eventually(t, "a sweep that can see again takes the dead folder", dead.gone)
	cancel()
	sweeping.Wait()

	untouched(t, stay...)
	if got := d.status().PID; got != pid || d.over() {
		t.Errorf("PID %d, want the same process as before: %d", got, pid)
	}
	if removed.Load() != 1 {
		t.Errorf("%d folders removed in %d sweeps, want 1: that of no container", removed.Load(), sweeps.Load())
	}
}

// TestRemovalsBehindBerthsBackAreExplained: Docker remembers what has happened
// while the daemon was down, so containers that went in the meantime do not
// make Docker's list look short.
func TestRemovalsBehindBerthsBackAreExplained(t *testing.T) {
	t.Parallel()
	e := engine.Private(t)
	d := launch(t, settings{"docker.socket": e.Socket()})
	mount := d.mount("orders")
	folders := map[inventory.ID]folder{}
	for range 4 {
		id := e.Create(t, engine.Options{})
		folders[id] = marked(t, filepath.Join(mount, id.Short()))
	}
	d.knows(slices.Collect(maps.Keys(folders))...)
	d.stop()
	for id := range folders {
		e.Remove(t, id)
	}
	d.start()
	for _, f := range folders {
		eventually(t, "the folder of a container that went while the daemon was down gone", func() bool {
			d.run("logs", "sweep", "--json")
			return f.gone()
		})
	}
}

// population makes containers that run, have ended and never ran, with a
// folder each.
func population(t *testing.T, d *daemon, e *engine.Daemon, mount string) []folder {
	t.Helper()
	always := logging(mount)
	always.RestartPolicy = "always"
	ids := []inventory.ID{
		e.Run(t, always), e.Run(t, logging(mount)), e.Run(t, logging(mount)),
		e.Create(t, logging(mount)), e.Create(t, engine.Options{}),
	}
	logged(t, mount, ids[2])
	e.Stop(t, ids[2])
	d.knows(ids...)
	stay := make([]folder, len(ids))
	for i, id := range ids {
		stay[i] = marked(t, filepath.Join(mount, id.Short()))
	}
	return stay
}
