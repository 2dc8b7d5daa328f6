package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/engine"
)

// atOnce is how many calls to Docker run beside each other.
const atOnce = 4

// A host is the machine, its Engine and the containers made there.
type host struct {
	*job
	ctx    context.Context
	binary string
	dir    string
	engine *engine.Engine
	image  string
	more   string   // of the daemon's configuration
	ports  []string // that containers publish

	mu  sync.Mutex // guards ids
	ids []inventory.ID
}

// build makes the binary as a release is made.
func build(j *job) string {
	binary := filepath.Join(j.TempDir(), "berth")
	buildAs(j, binary)
	return binary
}

func buildAs(j *job, binary string, flags ...string) {
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", binary}, flags...)
	cmd := exec.Command("go", append(args, "github.com/berth-dev/berth/agent/cmd/berth")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		j.Fatalf("build berth: %v\n%s", err, out)
	}
}

func sizeOf(j *job, path string) int64 {
	info, err := os.Stat(path)
	j.must(err)
	return info.Size()
}

func newHost(ctx context.Context, j *job, binary string) *host {
	e := engine.Default(j)
	h := &host{job: j, ctx: ctx, binary: binary, dir: j.TempDir(), engine: e, image: e.Image(j)}
	h.must(os.MkdirAll(h.logs(), 0o755))
	j.Cleanup(h.clear)
	return h
}

func (h *host) logs() string   { return h.dir + "/logs" }
func (h *host) socket() string { return h.dir + "/berth.sock" }

// alive ends the measurement when it was interrupted.
func (h *host) alive() { h.must(h.ctx.Err()) }

// populate starts containers that wait, on no network.
func (h *host) populate(n int) {
	var calls errgroup.Group
	calls.SetLimit(atOnce)
	for range n {
		calls.Go(func() error {
			if err := h.ctx.Err(); err != nil {
				return err
			}
			id, err := h.create()
			if err != nil {
				return err
			}
			return h.engine.Try("start", id)
		})
	}
	h.must(calls.Wait())
}

// create creates a container that will be removed at the end.
func (h *host) create() (inventory.ID, error) {
	id, err := h.engine.TryCreate(engine.Options{
		Image: h.image, Ports: h.ports, Labels: map[string]string{"com.docker.compose.service": "bench"},
	})
	if err != nil {
		return "", fmt.Errorf("create container: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids = append(h.ids, id)
	return id, nil
}

// remove removes a container before the end.
func (h *host) remove(id inventory.ID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, other := range h.ids {
		if other == id {
			h.ids = append(h.ids[:i], h.ids[i+1:]...)
			break
		}
	}
	return h.engine.Try("remove", id)
}

// clear removes all containers.
func (h *host) clear() {
	var calls errgroup.Group
	calls.SetLimit(atOnce)
	for _, id := range h.ids {
		calls.Go(func() error {
			if err := h.engine.Try("remove", id); err != nil {
				h.Error(err)
			}
			return nil
		})
	}
	_ = calls.Wait()
}
