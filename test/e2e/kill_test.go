package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/test/engine"
)

const (
	deadFolders    = 200
	filesPerFolder = 50
)

// A graveyard is many folders of containers that nobody knows, and a few of
// containers that exist.
type graveyard struct {
	*daemon
	dice  *rand.Rand
	mount string
	live  []folder
	dead  map[string]folder // by path
	found map[string]int    // where dead folders were after a death
}

// TestSuddenDeathLosesNothing kills the daemon in the middle of sweeps, over
// and over. After each restart every dead folder is whole in its place,
// restorable, or deleted for good with a record of it. J5, J6.
func TestSuddenDeathLosesNothing(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	e := engine.Private(t)
	g := &graveyard{
		daemon: install(t, settings{"docker.socket": e.Socket(), "logs.unknown_grace": "0s", "log.level": "info"}),
		dice:   rand.New(rand.NewPCG(seed, 0)), dead: map[string]folder{}, found: map[string]int{},
	}
	g.mount = g.daemon.mount("orders")
	for range 3 {
		g.live = append(g.live, marked(t, filepath.Join(g.mount, e.Create(t, engine.Options{}).Short())))
	}
	g.start()
	sweeping, purging := g.rehearse()
	t.Logf("a sweep of %d folders takes %v, their purge %v", deadFolders, sweeping, purging)
	for n := range *kills {
		if n%2 == 0 {
			g.dig()
			g.strike(api.SweepRequest{}, sweeping)
		} else {
			g.strike(api.SweepRequest{Purge: true}, sweeping+purging)
		}
		g.start()
		g.account()
		if t.Failed() {
			t.Fatalf("after death %d of %d", n+1, *kills)
		}
	}
	t.Logf("after %d deaths dead folders were found %v", *kills, g.found)
	for _, where := range []string{"in place", "restorable", "purged"} {
		if g.found[where] == 0 {
			t.Errorf("no dead folder was ever found %s: no death has struck in the middle", where)
		}
	}
	g.revive()
}

// rehearse sweeps and purges once undisturbed, to learn how long that takes.
func (g *graveyard) rehearse() (sweeping, purging time.Duration) {
	g.t.Helper()
	g.dig()
	began := time.Now()
	g.sweep()
	sweeping = time.Since(began)
	began = time.Now()
	g.sweep("--purge")
	purging = time.Since(began)
	g.account()
	return sweeping, purging
}

// dig makes dead folders until there are enough of them in their places.
func (g *graveyard) dig() {
	g.t.Helper()
	have := 0
	for _, f := range g.dead {
		if !f.gone() {
			have++
		}
	}
	for ; have < deadFolders; have++ {
		path := filepath.Join(g.mount, fmt.Sprintf("%012x", g.dice.Uint64()&0xffffffffffff))
		f, err := mark(path, filesPerFolder)
		if err != nil {
			g.t.Fatal(err)
		}
		g.dead[path] = f
	}
}

// strike kills the daemon at a random moment of a sweep.
func (g *graveyard) strike(r api.SweepRequest, within time.Duration) {
	g.t.Helper()
	berth, swept := g.dial(g.t), make(chan struct{})
	go func() {
		defer close(swept)
		_, _ = berth.sweep(r)
	}()
	<-time.After(time.Duration(g.dice.Int64N(int64(within))))
	g.kill9()
	<-swept
}

// account finds every folder, or fails the test.
func (g *graveyard) account() {
	g.t.Helper()
	untouched(g.t, g.live...)
	restorable := map[string]bool{}
	for _, f := range ask[[]api.Folder](g.daemon, "logs", "ls") {
		if f.State == "orphan" {
			g.t.Errorf("an orphan: %+v", f)
		}
		restorable[f.Path] = f.State == "restorable"
	}
	var checks []api.Check
	g.run("doctor", "--json").into(g.t, &checks)
	for _, c := range checks {
		if c.Level == "fail" || strings.Contains(c.Message, "orphan") {
			g.t.Errorf("doctor: %+v", c)
		}
	}
	purged, lost := g.purges(), []string{}
	for path, f := range g.dead {
		switch {
		case !f.gone():
			if err := f.intact(); err != nil {
				g.t.Errorf("in its place, and not whole: %v", err)
			}
			g.found["in place"]++
		case restorable[path]:
			g.found["restorable"]++
		case purged[path]:
			g.found["purged"]++
			delete(g.dead, path)
		default:
			lost = append(lost, path)
		}
	}
	if len(lost) > 0 {
		g.t.Errorf("%d folders, such as %s, are neither in their place nor restorable, and no record says that they were purged", len(lost), lost[0])
	}
}

// purges are the folders that the audit says were deleted for good.
func (g *graveyard) purges() map[string]bool {
	g.t.Helper()
	purged := map[string]bool{}
	for _, r := range ask[[]api.Record](g.daemon, "logs", "history", "--limit", "1000000") {
		if r.Action == "purged" {
			purged[r.Path] = true
		}
	}
	return purged
}

// revive brings everything back that can be, and looks whether it is whole.
func (g *graveyard) revive() {
	g.t.Helper()
	g.dig()
	g.sweep()
	report := ask[api.UndoReport](g.daemon, "logs", "undo", "--last")
	if len(report.Restored) == 0 || len(report.Failed) > 0 {
		g.t.Errorf("undo brought back %d folders and failed for %+v", len(report.Restored), report.Failed)
	}
	for _, f := range report.Restored {
		untouched(g.t, g.dead[f.Path])
	}
}
