package relay

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// A Sample is what one round has cost. The times are ns of CPU for each
// datagram that was generated.
type Sample struct {
	Relay, Sink float64
	Total       float64 // with the sender, and the kernel's threads for what it left them
	Loss        float64 // of the messages, 0 to 1, but for what strayed
	Strayed     float64 // of the datagrams: lost before a socket, whoever relays
	Victim      float64 // the same, of the victim's
	Out         float64 // datagrams received for one generated
	RSS         int64   // the relay's, in bytes
	Allocs      float64 // our relay's, for a datagram
	Kernel      float64 // of the datagrams, those that our relay says its sockets had no room for
	Late        time.Duration
	Behind      time.Duration // the sender's, at its end
}

// A stage is a relay and a receiver that run.
type stage struct {
	relay, sink *process
	own         bool // the relay is ours
}

func (s *stage) stop() {
	if s.relay != nil {
		s.relay.stop()
	}
	s.sink.stop()
}

// stage starts a receiver and a relay, and waits until both listen.
func (r *Rig) stage(ctx context.Context, v Variant, o sinkOrders) (*stage, error) {
	o.Address, o.Cred = receiver, v.Cred
	switch {
	case v.Address != "":
		o.Address = v.Address
	case v.Unix:
		o.Address = r.socket()
		_ = os.Remove(o.Address)
	}
	argv, err := r.childArgs(roleSink, o)
	if err != nil {
		return nil, err
	}
	s := &stage{own: v.own}
	if s.sink, err = r.launch(ctx, argv); err != nil {
		return nil, err
	}
	if _, err := s.sink.ask(); err != nil {
		s.stop()
		return nil, err
	}
	if v.relay == nil {
		return s, nil
	}
	if argv, err = v.relay(r); err == nil {
		s.relay, err = r.launch(ctx, argv)
	}
	if err == nil {
		err = s.relay.ready(ctx, func() bool { return listens(s.relay.pid(), entry()) })
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	s.relay.polite = v.own
	return s, nil
}

func (r *Rig) socket() string { return filepath.Join(r.dir, "dsd.socket") }

// round sends a load through a variant, once what runs there is warm.
func (r *Rig) round(ctx context.Context, v Variant, l Load, o sinkOrders) (Sample, error) {
	o.Victim = l.Victim
	s, err := r.stage(ctx, v, o)
	if err != nil {
		return Sample{}, err
	}
	defer s.stop()
	if l.Port = v.Port; l.Port == 0 {
		l.Port = port
	}
	warm := l
	warm.Span = 200 * time.Millisecond
	if _, err := r.generate(ctx, warm); err != nil {
		return Sample{}, err
	}
	if _, err := r.settle(ctx, s.sink); err != nil {
		return Sample{}, err
	}
	return r.measure(ctx, s, l)
}

// measure sends a load and sets what it cost beside what arrived.
func (r *Rig) measure(ctx context.Context, s *stage, l Load) (Sample, error) {
	before, err := s.sink.ask()
	if err != nil {
		return Sample{}, err
	}
	knew, err := s.account()
	if err != nil {
		return Sample{}, err
	}
	was := s.ran()
	said, err := r.generate(ctx, l)
	if err != nil {
		return Sample{}, err
	}
	after, err := r.settle(ctx, s.sink)
	if err != nil {
		return Sample{}, err
	}
	is := s.ran()
	known, err := s.account()
	if err != nil {
		return Sample{}, err
	}
	all := float64(said.Datagrams + said.Victim)
	m := Sample{
		Relay: float64(is.relay-was.relay) / all, Sink: float64(is.sink-was.sink) / all,
		Strayed: float64(is.strayed-was.strayed) / all,
		Out:     float64(after.Datagrams-before.Datagrams) / all,
		Late:    said.Late,
		Behind:  said.Took - l.Span,
	}
	m.Allocs = float64(known.Before-knew.After) / all
	m.Kernel = float64(known.Kernel-knew.Kernel) / all
	m.Loss = max(0, 1-float64(after.Messages-before.Messages)/(all*float64(l.Lines))-m.Strayed)
	m.Total = m.Relay + m.Sink + float64(said.CPU+int64(is.kernel-was.kernel))/all
	if said.Victim > 0 {
		m.Victim = 1 - float64(after.Victim-before.Victim)/float64(said.Victim)
	}
	if s.relay != nil {
		m.RSS = resident(s.relay.pid())
	}
	return m, nil
}

// account is what our relay says of itself; nothing, if the relay is not ours.
func (s *stage) account() (a account, err error) {
	if s.own {
		err = s.relay.answer(&a)
	}
	return a, err
}

// used is the time that a stage's processes have run, and the kernel's threads,
// and what strayed.
type used struct {
	relay, sink, kernel time.Duration
	strayed             int64
}

func (s *stage) ran() (u used) {
	if s.relay != nil {
		u.relay = ran(s.relay.pid())
	}
	u.sink, u.strayed = ran(s.sink.pid()), strayed()
	for _, pid := range softirqs() {
		u.kernel += ran(pid)
	}
	return u
}

// calm is how long nothing may arrive until all has: longer than any relay
// holds a datagram.
const calm = 300 * time.Millisecond

// settle waits until the receiver has received all that comes.
func (r *Rig) settle(ctx context.Context, sink *process) (last taken, err error) {
	ticker := time.NewTicker(calm)
	defer ticker.Stop()
	for {
		t, err := sink.ask()
		if err != nil || (t == last && t.Messages > 0) {
			return t, err
		}
		last = t
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case <-ticker.C:
		}
	}
}
