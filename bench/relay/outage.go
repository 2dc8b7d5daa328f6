package relay

import (
	"context"
	"errors"
	"os"
	"time"
)

// An Outage is what a restart of the receiver has cost, at 20,000 datagrams a
// second.
type Outage struct {
	Sent    int64         // messages
	Lost    int64         // of them, those that the relay has not delivered in the end
	Back    time.Duration // until all that was held had been taken
	HeldMax uint64        // messages, when the receiver came back
}

// lead is how long there is a receiver before and after.
const lead = 2 * time.Second

// Outage takes the receiver away for a while, and has another in its place. What
// lies in the receiver's own queue when it ends is not the relay's any more.
func (r *Rig) Outage(ctx context.Context, away time.Duration) (o Outage, err error) {
	s, err := r.stage(ctx, named(r.variants(), []string{"uds-field"})[0], sinkOrders{})
	if err != nil {
		return o, err
	}
	defer func() { s.stop() }()
	l := steady()
	l.Port, l.Span = port, away+2*lead
	type result struct {
		sent
		err error
	}
	done := make(chan result, 1)
	go func() {
		said, err := r.generate(ctx, l)
		done <- result{said, err}
	}()
	if err := wait(ctx, lead); err != nil {
		return o, err
	}
	s.sink.stop()
	if err := wait(ctx, away); err != nil {
		return o, err
	}
	if err := r.replace(ctx, s); err != nil {
		return o, err
	}
	back := time.Now()
	now, err := s.account()
	if err != nil {
		return o, err
	}
	o.HeldMax = now.Held
	said := <-done
	for err = said.err; err == nil && (now.Held > 0 || now.Messages+now.Kernel < uint64(said.Datagrams)); now, err = s.account() {
		if o.Back = time.Since(back); o.Back > time.Minute {
			err = errors.New("what is held is not delivered in a minute")
			break
		}
		if err = wait(ctx, 20*time.Millisecond); err != nil {
			break
		}
	}
	o.Sent = int64(said.Datagrams)
	o.Lost = o.Sent - int64(now.Delivered)
	return o, err
}

// replace starts another receiver on the same path.
func (r *Rig) replace(ctx context.Context, s *stage) error {
	_ = os.Remove(r.socket()) // as the agent does when it starts
	argv, err := r.childArgs(roleSink, sinkOrders{Address: r.socket()})
	if err != nil {
		return err
	}
	if s.sink, err = r.launch(ctx, argv); err != nil {
		return err
	}
	_, err = s.sink.ask()
	return err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
