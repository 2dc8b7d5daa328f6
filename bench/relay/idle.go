package relay

import (
	"context"
	"fmt"
	"time"
)

// A Calm is what our relay is while nothing comes, and when it holds all that
// it may.
type Calm struct {
	CPU  time.Duration // in Span
	Span time.Duration
	RSS  int64 // bytes, after that
	Full int64 // bytes, with 32 MiB held for a receiver that has gone
}

// Idle measures our relay by itself.
func (r *Rig) Idle(ctx context.Context, span time.Duration) (c Calm, err error) {
	all := named(r.variants(), []string{"uds-field"})
	s, err := r.stage(ctx, all[0], sinkOrders{})
	if err != nil {
		return c, err
	}
	defer s.stop()
	l := bursts()
	l.Port, l.Span = port, 200*time.Millisecond
	if _, err := r.generate(ctx, l); err != nil {
		return c, err
	}
	if _, err := r.settle(ctx, s.sink); err != nil {
		return c, err
	}
	before, began := ran(s.relay.pid()), time.Now()
	select {
	case <-time.After(span):
	case <-ctx.Done():
		return c, ctx.Err()
	}
	c.CPU, c.Span, c.RSS = ran(s.relay.pid())-before, time.Since(began), resident(s.relay.pid())
	s.sink.stop()
	l.Span = 5 * time.Second // 80 MB
	said, err := r.generate(ctx, l)
	if c.Full = resident(s.relay.pid()); err == nil && said.Datagrams < 300_000 {
		err = fmt.Errorf("only %d datagrams were sent: they do not fill the ring", said.Datagrams)
	}
	return c, err
}
