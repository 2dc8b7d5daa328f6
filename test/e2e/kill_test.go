package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
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
}

// TestSuddenDeathLosesNothing kills the daemon in the middle of sweeps, over
// and over. After each restart every dead folder is whole in its place,
// restorable, or deleted for good with a record of it. J5.
func TestSuddenDeathLosesNothing(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	e := engine.Default(t)
	g := &graveyard{
		daemon: install(t, settings{"docker.socket": e.Socket(), "logs.unknown_grace": "0s", "log.level": "info"}),
		dice:   rand.New(rand.NewPCG(seed, 0)), dead: map[string]folder{},
	}
	g.mount = g.daemon.mount("orders")
	for range 3 {
		g.live = append(g.live, marked(t, filepath.Join(g.mount, e.Create(t, engine.Options{}).Short())))
	}
	g.start()
	found := map[string]int{}
	for n := range *kills {
		g.dig()
		g.strike(n%2 == 1)
		g.start()
		g.account(found)
		if t.Failed() {
			t.Fatalf("after death %d of %d", n+1, *kills)
		}
	}
	t.Logf("after %d deaths dead folders were found %v", *kills, found)
	if found["in place"] == 0 || found["restorable"] == 0 || found["purged"] == 0 {
		t.Errorf("found %v, want some of each: no death has struck in the middle", found)
	}
	g.revive()
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

// strike kills the daemon at a random moment of a sweep, or of a sweep and the
// purge after it.
func (g *graveyard) strike(purge bool) {
	g.t.Helper()
	berth, swept := g.dial(g.t), make(chan struct{})
	go func() {
		defer close(swept)
		if purge {
			_, _ = berth.sweep(api.SweepRequest{})
		}
		_, _ = berth.sweep(api.SweepRequest{Purge: purge})
	}()
	select {
	case <-swept:
	case <-time.After(time.Duration(g.dice.Int64N(int64(400 * time.Millisecond)))):
	}
	g.kill9()
	<-swept
}

// account finds every folder, or fails the test.
func (g *graveyard) account(found map[string]int) {
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
	for path, f := range g.dead {
		switch {
		case !f.gone():
			if err := f.intact(); err != nil {
				g.t.Errorf("in its place, and not whole: %v", err)
			}
			found["in place"]++
		case restorable[path]:
			found["restorable"]++
		case g.recorded(path):
			found["purged"]++
			delete(g.dead, path)
		default:
			g.t.Errorf("%s is neither in its place nor restorable nor known to be purged", path)
		}
	}
}

// recorded reports whether the audit says that a folder was deleted for good,
// or is being deleted.
func (g *graveyard) recorded(path string) bool {
	return slices.ContainsFunc(g.why(path).History, func(r api.Record) bool { return r.Action == "purged" && r.Path == path })
}

// revive brings everything back that can be, and looks whether it is whole.
func (g *graveyard) revive() {
	g.t.Helper()
	g.sweep()
	report := ask[api.UndoReport](g.daemon, "logs", "undo", "--last")
	if len(report.Restored) == 0 || len(report.Failed) > 0 {
		g.t.Errorf("undo brought back %d folders and failed for %+v", len(report.Restored), report.Failed)
	}
	for _, f := range report.Restored {
		untouched(g.t, g.dead[f.Path])
	}
}
