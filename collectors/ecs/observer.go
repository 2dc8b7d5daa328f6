package ecs

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// How often the agent is asked.
const (
	often    = 10 * time.Second // while it answers
	seldom   = time.Minute      // while it does not
	debounce = 20 * time.Millisecond
	between  = 200 * time.Millisecond // at least, between two looks
	keepFor  = 5 * time.Minute        // how long its last list stays when it is away
)

// An Observer keeps what the ECS agent says. Inventory and Log are required.
type Observer struct {
	Inventory *inventory.Inventory
	Log       *slog.Logger
	Agent     string // URL in the place of AgentURL
	Metadata  string // URL in the place of MetadataURL
	Root      string // folder in the place of /

	mu      sync.Mutex // guards the fields below
	now     inventory.Tasks
	expired chan struct{} // closed when now is replaced by something else; nil until somebody watches
}

// Watch returns what the agent says, and a channel that is closed as soon as it
// says something else.
func (o *Observer) Watch() (inventory.Tasks, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.expired == nil {
		o.expired = make(chan struct{})
	}
	return o.now, o.expired
}

// Run asks until ctx ends.
func (o *Observer) Run(ctx context.Context) error {
	l := newLooker(o)
	for ctx.Err() == nil {
		snapshot, changed := o.Inventory.Watch()
		if now := time.Now(); l.cares(snapshot) || !now.Before(l.due) {
			o.replace(l.look(ctx, snapshot), snapshot)
			l.due = now.Add(l.next())
		}
		o.wait(ctx, changed, time.Until(l.due))
	}
	return nil
}

// wait returns when it may be time to ask again: after a change of the
// containers, or after a while.
func (o *Observer) wait(ctx context.Context, changed <-chan struct{}, while time.Duration) {
	timer := time.NewTimer(while)
	defer timer.Stop()
	began := time.Now()
	select {
	case <-ctx.Done():
		return
	case <-timer.C:
		return
	case <-changed:
	}
	timer.Reset(max(debounce, time.Until(began.Add(between))))
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// replace puts what is known now in the place of what was. Readers are woken if
// it differs, or if how a task counts may depend on when the list was taken.
func (o *Observer) replace(now inventory.Tasks, seen inventory.Snapshot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.now
	o.now = now
	before.Taken = now.Taken
	if reflect.DeepEqual(before, now) && !unlisted(now, seen) || o.expired == nil {
		return
	}
	close(o.expired)
	o.expired = nil
}

// unlisted reports whether a task that is up is not on the agent's list.
func unlisted(now inventory.Tasks, seen inventory.Snapshot) bool {
	if now.Taken.IsZero() {
		return false
	}
	listed := make(map[string]bool, len(now.All))
	for _, t := range now.All {
		listed[t.ARN] = t.Listed()
	}
	for _, c := range seen.Containers {
		if c.Task != "" && c.State.Up() && !listed[c.Task] {
			return true
		}
	}
	return false
}

// spread is d, more or less a fifth, so that hosts do not ask in step.
func spread(d time.Duration) time.Duration { return d - d/5 + rand.N(2*d/5) }
