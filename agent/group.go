package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A component is one long-running duty. Its run returns nil once ctx is
// cancelled, and not before.
type component struct {
	name string
	run  func(context.Context) error
}

// errEnded is a component that returned although nobody asked it to.
var errEnded = errors.New("ended by itself")

// together runs components side by side. The first to return ends them all:
// the process stops, and systemd starts it again. It returns when all have.
func together(ctx context.Context, components ...component) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	errs := make([]error, len(components))
	for i, c := range components {
		running.Go(func() {
			defer cancel()
			err := c.run(ctx)
			if err == nil && ctx.Err() == nil {
				err = errEnded
			}
			if err != nil {
				errs[i] = fmt.Errorf("%s: %w", c.name, err)
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
