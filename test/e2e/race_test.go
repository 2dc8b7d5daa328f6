package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/engine"
)

// A race is workers that create and remove containers as fast as they go,
// against a sweeper that sweeps as fast as it goes, in a daemon that is given
// one configuration after the other.
type race struct {
	*daemon
	engine  *engine.Engine
	image   string
	mount   string
	left    atomic.Int64 // containers still to be made
	sweeps  atomic.Int64
	removed atomic.Int64 // folders that sweeps took away
	reloads atomic.Int64

	mu     sync.Mutex      // guards the fields below
	exists map[string]bool // by the folder's name
	vain   map[string]int  // why sweeps came to nothing, and how many of them
	wrong  []error         // folders that went although their container existed
}

// TestNoFolderGoesWhileItsContainerExists is J1 and J3 under load: no grace
// of either kind, no undo, and a folder for each container from the moment it
// is created.
func TestNoFolderGoesWhileItsContainerExists(t *testing.T) {
	t.Parallel()
	e := engine.Default(t)
	d := launch(t, settings{
		"docker.socket": e.Socket(), "logs.undo": "0s", "logs.unknown_grace": "0s", "log.level": "info", "config.watch": false,
	})
	r := &race{daemon: d, engine: e, image: e.Image(t), mount: d.mount("race"), exists: map[string]bool{}, vain: map[string]int{}}
	r.left.Store(int64(*cycles))

	ctx, cancel := context.WithCancel(t.Context())
	var against, working sync.WaitGroup
	berth := d.dial(t)
	against.Go(func() { defer cancel(); r.sweep(ctx, berth) })
	against.Go(func() { defer cancel(); r.reload(ctx, berth) })
	for n := range *workers {
		working.Go(func() { r.work(ctx, rand.New(rand.NewPCG(1, uint64(n)))) })
	}
	working.Wait()
	eventually(t, "all folders of removed containers gone", func() bool {
		left, err := filepath.Glob(r.mount + "/*")
		return err == nil && len(left) == 0 || ctx.Err() != nil
	})
	cancel()
	against.Wait()

	purged := 0
	for _, line := range ask[[]api.Record](d, "logs", "history", "--limit", "1000000") {
		if line.Action == "purged" {
			purged++
		}
	}
	t.Logf("%d containers, %d sweeps, %d reloads, %d folders removed, %d purged, %d wrongly; sweeps in vain: %v",
		*cycles, r.sweeps.Load(), r.reloads.Load(), r.removed.Load(), purged, len(r.wrong), r.vain)
	for _, err := range r.wrong {
		t.Errorf("wrong: %v", err)
	}
	if r.removed.Load() == 0 || purged == 0 {
		t.Error("the sweeps removed or purged nothing, so nothing is proved")
	}
}

// sweep sweeps until ctx ends, and looks whether what went may go. A sweep
// that a reload cuts short may be refused.
func (r *race) sweep(ctx context.Context, berth line) {
	for ctx.Err() == nil {
		report, err := berth.sweep(api.SweepRequest{})
		if err != nil && !errors.Is(err, errRefused) {
			r.accuse(fmt.Errorf("sweep: %w", err))
			return
		}
		r.mu.Lock()
		for _, f := range report.Removed {
			if r.exists[f.Container] {
				r.wrong = append(r.wrong, fmt.Errorf("%s reported as removed: %s", f.Path, f.Reason))
			}
		}
		switch {
		case err != nil:
			r.vain[err.Error()]++
		case report.Plan.Blind != "":
			r.vain[report.Plan.Blind]++
		}
		r.mu.Unlock()
		r.removed.Add(int64(len(report.Removed)))
		r.sweeps.Add(1)
	}
}

// reload puts one configuration after the other in force, every few sweeps.
func (r *race) reload(ctx context.Context, berth line) {
	texts := []string{r.settings.yaml(r.t), r.settings.with(settings{"logs.splay": "1s"}).yaml(r.t)}
	for n := int64(1); ; n++ {
		for r.sweeps.Load() < 20*n {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
		err := os.WriteFile(r.config(), []byte(texts[n%2]), 0o644)
		if err == nil {
			err = berth.do(http.MethodPost, "/v1/reload", nil, &api.Reload{})
		}
		if err != nil {
			r.accuse(fmt.Errorf("reload: %w", err))
			return
		}
		r.reloads.Add(1)
	}
}

// work makes containers until there are none left to make.
func (r *race) work(ctx context.Context, dice *rand.Rand) {
	for ctx.Err() == nil && r.left.Add(-1) >= 0 {
		if err := r.cycle(ctx, dice); err != nil {
			r.accuse(err)
			return
		}
	}
}

// cycle is the life of one container. Its folder is made the moment Docker has
// given it an ID, and watched at every step of its life.
func (r *race) cycle(ctx context.Context, dice *rand.Rand) (err error) {
	options := logging(r.mount)
	options.Image = r.image
	id, err := r.engine.TryCreate(options)
	if err != nil {
		return err
	}
	r.note(id, true)
	defer func() {
		r.note(id, false)
		err = errors.Join(err, r.engine.Try("remove", id))
	}()
	f, err := mark(filepath.Join(r.mount, id.Short()), 1)
	if err != nil {
		return err
	}
	steps := []string{"", "start"}
	if dice.IntN(3) == 0 {
		steps = append(steps, "stop", "start")
	}
	if dice.IntN(4) == 0 {
		steps = append(steps, "pause", "unpause", "restart")
	}
	if dice.IntN(4) == 0 {
		steps = append(steps, "kill")
	}
	for _, step := range steps {
		if step != "" {
			if err := r.engine.Try(step, id); err != nil {
				return err
			}
		}
		if err := r.watch(ctx, f); err != nil {
			return fmt.Errorf("after %q: %w", step, err)
		}
	}
	return nil
}

// watch looks at a folder until one whole sweep has gone by: one that began
// after the call.
func (r *race) watch(ctx context.Context, f folder) error {
	for until := r.sweeps.Load() + 2; ctx.Err() == nil; <-time.After(time.Millisecond) {
		if err := f.intact(); err != nil {
			return err
		}
		if r.sweeps.Load() >= until {
			return nil
		}
	}
	return nil
}

// note records that a container exists, or will not much longer.
func (r *race) note(id inventory.ID, exists bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exists[id.Short()] = exists
}

func (r *race) accuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, err)
}
