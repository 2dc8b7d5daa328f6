package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/berth-dev/berth/collectors/inventory"
)

// backlog is how many hints may wait while the loop waits for an answer of the
// Engine. Past it single events are forgotten and everything counts as changed.
const backlog = 1 << 14

// errStreamEnded is the end of an event stream by the Engine.
var errStreamEnded = errors.New("the event stream ended")

// A stream is an open event stream. Its goroutine empties it at once into a
// queue, because the Engine skips readers that are slow.
type stream struct {
	ready chan struct{} // holds a token while hints wait
	ended chan struct{} // closed at the end of the stream; err is set then
	err   error
	stop  context.CancelFunc

	mu    sync.Mutex // guards the fields below
	hints []hint
	lost  bool // hints were forgotten
}

// A hint is what one event of the Engine is worth: a container that may have
// changed, and perhaps something to tell.
type hint struct {
	container inventory.ID // empty: no single container
	event     Event        // Kind is empty if there is nothing to tell
}

// subscribe opens the event stream and returns once the Engine has accepted
// it. Events since a moment come first, as far as the Engine remembers them. It
// lasts until ctx or the Engine ends it, or it is closed.
func (c *Client) subscribe(ctx context.Context, since time.Time) (*stream, error) {
	var seen trip
	ctx, cancel := context.WithCancelCause(context.WithValue(ctx, tripKey{}, &seen))
	limit := time.AfterFunc(c.timeout(), func() { cancel(&noAnswer{c.timeout()}) })
	defer limit.Stop()
	fail := func(err error) (*stream, error) {
		c.api.Store(nil)
		err = fmt.Errorf("subscribe to events: %w", cause(ctx, err, seen))
		cancel(nil)
		return nil, err
	}
	api, err := c.negotiated(ctx)
	if err != nil {
		return fail(err)
	}
	seen = trip{}
	messages, errs := api.Events(ctx, events.ListOptions{
		Since:   fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond()),
		Filters: eventFilter(),
	})
	if seen.status != http.StatusOK {
		return fail(<-errs)
	}
	if !limit.Stop() {
		<-ctx.Done()
		for range errs { // until its goroutine is done
		}
		return fail(context.Cause(ctx))
	}
	s := &stream{
		ready: make(chan struct{}, 1),
		ended: make(chan struct{}),
		stop:  func() { cancel(nil) },
	}
	go s.read(messages, errs, c.ServiceLabel)
	return s, nil
}

// read empties the stream until it ends.
func (s *stream) read(messages <-chan events.Message, errs <-chan error, serviceLabel string) {
	defer close(s.ended)
	for {
		select {
		case m := <-messages:
			s.put(hintOf(m, serviceLabel))
		case err := <-errs:
			s.err = err
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				s.err = errStreamEnded
			}
			for range errs { // until its goroutine is done
			}
			return
		}
	}
}

func (s *stream) put(h hint) {
	s.mu.Lock()
	if len(s.hints) < backlog {
		s.hints = append(s.hints, h)
	} else {
		s.lost = true
	}
	s.mu.Unlock()
	select {
	case s.ready <- struct{}{}:
	default: // the loop already knows
	}
}

// take returns the hints that wait, in the order of the stream, and whether
// any were forgotten.
func (s *stream) take() (hints []hint, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hints, lost = s.hints, s.lost
	s.hints, s.lost = nil, false
	return hints, lost
}

// close ends the stream and waits for its goroutine.
func (s *stream) close() {
	s.stop()
	<-s.ended
}

// eventFilter keeps the Engine from sending what says nothing about the
// picture: above all the three events of each health check's run.
func eventFilter() filters.Args {
	f := filters.NewArgs()
	for _, t := range []events.Type{events.ContainerEventType, events.NetworkEventType, events.DaemonEventType, events.ImageEventType} {
		f.Add("type", string(t))
	}
	for _, a := range []events.Action{
		events.ActionCreate, events.ActionStart, events.ActionDie, events.ActionDestroy, events.ActionOOM,
		events.ActionPause, events.ActionUnPause, events.ActionRename, events.ActionUpdate, events.ActionHealthStatus,
		events.ActionConnect, events.ActionDisconnect, events.ActionReload,
		events.ActionPull, events.ActionLoad, events.ActionImport, events.ActionTag, events.ActionUnTag, events.ActionDelete,
	} {
		f.Add("event", string(a))
	}
	return f
}
