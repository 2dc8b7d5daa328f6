package docker

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// How the loop paces itself unless a Watcher's fields say otherwise.
const (
	settle          = 5 * time.Millisecond   // after a hint: more of the same cause may follow
	patience        = 25 * time.Millisecond  // for inspects, before a picture is shown without them
	firstPatience   = time.Second            // the same for the first picture of a connection
	listOneByOne    = 16                     // containers asked for by ID; for more, all are listed
	restPerListing  = 2                      // the pause after a listing, in times of what the Engine took for it
	hastyRest       = 25 * time.Millisecond  // the same if somebody is in a hurry
	longestRest     = 250 * time.Millisecond // and no longer than this
	defaultResync   = 5 * time.Minute
	defaultProbe    = 15 * time.Second
	defaultRetry    = 100 * time.Millisecond
	defaultMaxRetry = 10 * time.Second
)

// A Watcher keeps the inventory true to one Engine. Client, Inventory and Log
// are required; the zero value of every other field is its default.
type Watcher struct {
	Client    *Client
	Inventory *inventory.Inventory
	Log       *slog.Logger
	Observer  Observer // nil: nobody is told
	// Heard is which events an earlier watcher has heard; nil: there was none.
	Heard *Heard
	// Since is from when on events are asked for, as far as the Engine remembers
	// them, where none was heard. Zero: now.
	Since time.Time
	// LogFolder says where on the host a container's log folder would be; nil
	// leaves [inventory.Container.LogFolder] empty. It is called from the loop.
	LogFolder func(service string, mounts []inventory.Mount, id inventory.ID) string

	Resync   time.Duration // between listings without a hint, give or take a fifth; zero: 5 min
	Probe    time.Duration // silence after which the Engine is asked for a sign of life; zero: 15 s
	Retry    time.Duration // before the first reconnect, doubled each time; zero: 100 ms
	MaxRetry time.Duration // the longest pause before a reconnect; zero: 10 s

	mu      sync.Mutex // guards the fields below
	status  Status
	hurried chan struct{} // holds one who is in a hurry; nil: there was none yet
}

// Hurry asks for the listing that is due to be made at once, because somebody
// waits for what a start or an end has changed. It does not wait itself, and
// while no listing is due it does nothing.
func (w *Watcher) Hurry() {
	select {
	case w.hurry() <- struct{}{}:
	default:
	}
}

func (w *Watcher) hurry() chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hurried == nil {
		w.hurried = make(chan struct{}, 1)
	}
	return w.hurried
}

// Run watches until ctx ends and then returns nil. An Engine that is away is
// no error: the inventory is marked blind until it is back.
func (w *Watcher) Run(ctx context.Context) error {
	p := &picture{logFolder: w.LogFolder}
	since, heard := w.Since, w.Heard
	if since.IsZero() {
		since = time.Now()
	}
	if heard == nil {
		heard = &Heard{}
	}
	for failures := 0; ; failures++ {
		s := &session{
			Watcher: w, picture: p, heard: heard, since: cmp.Or(heard.Since(), since),
			inspector: newInspector(w.Client),
			client:    w.Client,
		}
		err := s.run(ctx)
		w.Client.CloseIdle()
		if ctx.Err() != nil {
			return nil
		}
		w.goBlind(p, err)
		if s.synced {
			failures = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.pause(failures)):
		}
	}
}

// pause is how long to wait after so many failures in a row: doubling, with
// jitter, so that a host's daemons do not all return at once.
func (w *Watcher) pause(failures int) time.Duration {
	longest := cmp.Or(w.MaxRetry, defaultMaxRetry)
	d := cmp.Or(w.Retry, defaultRetry)
	for range failures {
		d = min(2*d, longest)
	}
	return d/2 + rand.N(d/2+1)
}

// resyncIn is when to list without a hint.
func (w *Watcher) resyncIn() time.Duration {
	d := cmp.Or(w.Resync, defaultResync)
	return d - d/5 + rand.N(2*d/5+1)
}
