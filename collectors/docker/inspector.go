package docker

import (
	"context"
	"sync"

	"github.com/berth-dev/berth/collectors/inventory"
)

// inspectsAtOnce bounds the inspects that run at one time.
const inspectsAtOnce = 4

// An inspector asks about single containers beside the loop, because Docker
// lets an inspect wait while it starts or stops the container.
type inspector struct {
	client *Client
	slots  chan struct{}
	ready  chan struct{} // holds a token while results wait
	work   sync.WaitGroup

	mu      sync.Mutex // guards results
	results []inspected
}

// inspected is the answer to one inspect.
type inspected struct {
	id      inventory.ID
	version uint64
	detail  detail
	err     error
}

func newInspector(c *Client) *inspector {
	return &inspector{client: c, slots: make(chan struct{}, inspectsAtOnce), ready: make(chan struct{}, 1)}
}

// ask begins an inspect. Its result comes even if ctx ends.
func (i *inspector) ask(ctx context.Context, id inventory.ID, version uint64) {
	i.work.Go(func() {
		r := inspected{id: id, version: version}
		select {
		case i.slots <- struct{}{}:
			r.detail, r.err = i.client.inspect(ctx, id)
			<-i.slots
		case <-ctx.Done():
			r.err = ctx.Err()
		}
		i.mu.Lock()
		i.results = append(i.results, r)
		i.mu.Unlock()
		select {
		case i.ready <- struct{}{}:
		default: // the loop already knows
		}
	})
}

// take returns the results that wait.
func (i *inspector) take() []inspected {
	i.mu.Lock()
	defer i.mu.Unlock()
	results := i.results
	i.results = nil
	return results
}
