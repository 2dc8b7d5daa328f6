package api

import (
	"context"
	"net/http"
	"time"
)

// usualBeat is how often a silent stream shows that it lives.
const usualBeat = 15 * time.Second

// begin sends the head of a stream. It returns false if that is all that was
// asked for.
func (c *call) begin() (more bool, err error) {
	c.w.Header().Set("Content-Type", mimeLines)
	c.w.WriteHeader(http.StatusOK)
	c.sent = http.StatusOK
	if c.r.Method == http.MethodHead {
		return false, nil
	}
	if err := c.control.Flush(); err != nil {
		return false, gone(err)
	}
	return true, nil
}

func (s *Server) beat() time.Duration {
	if s.Heartbeat == 0 {
		return usualBeat
	}
	return s.Heartbeat
}

// events streams until the present or, when following, until the reader goes
// away or the daemon stops. Each line is flushed; a reader that takes none for
// half a minute is cut off.
func (s *Server) events(c *call) error {
	if more, err := c.begin(); err != nil || !more {
		return err
	}
	for e := range s.Backend.Events().stream(c.ctx(), c.number("since"), c.flag("follow"), s.beat()) {
		if err := c.line(e); err != nil {
			return gone(err)
		}
	}
	return nil
}

// watchRecords streams as events does. What a slow reader has not taken waits
// in the store, which hands over state and not history.
func (s *Server) watchRecords(c *call) error {
	if more, err := c.begin(); err != nil || !more {
		return err
	}
	ctx, cancel := context.WithCancel(c.ctx())
	defer cancel()
	events := make(chan RecordEvent)
	go func() {
		defer close(events)
		_ = s.Backend.WatchRecords(ctx, c.number("since"), func(e RecordEvent) error { // its end is the stream's
			select {
			case events <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	err := c.lines(events, s.beat())
	for cancel(); err != nil; { // wait for the backend
		if _, more := <-events; !more {
			return err
		}
	}
	return nil
}

// lines sends what comes from a store until the store has ended, which is nil,
// or the reader has gone.
func (c *call) lines(events <-chan RecordEvent, beat time.Duration) error {
	for {
		silence := time.NewTimer(beat)
		e, more := RecordEvent{Type: RecordBeat, Records: []StoreRecord{}}, true
		select {
		case e, more = <-events:
		case <-silence.C:
		}
		silence.Stop()
		if !more {
			return nil
		}
		if err := c.line(filled(e)); err != nil {
			return gone(err)
		}
	}
}
