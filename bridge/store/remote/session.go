package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// mostRaces is how often a write is tried against others that get there first.
const mostRaces = 5

// A Session is one host's hold on its record in a server.
type Session struct {
	keeper Keeper
	life   *Life
	key    store.Key
	pace   Pace
	found  *Held

	turn sync.Mutex // one Publish or Withdraw at a time; taken before mu

	mu          sync.Mutex // guards the fields below
	closed      bool
	held        *Held         // what is renewed; nil: nothing
	incarnation string        // of what this session published last
	lost        chan struct{} // closed when the hold is lost
	isLost      bool
	stop        func() // ends the renewal and waits for it; nil: it has not begun
}

// NewSession begins a session. It reads the record that is there and writes
// nothing.
func NewSession(ctx context.Context, keeper Keeper, life *Life, key store.Key, ttl time.Duration) (*Session, error) {
	pace, err := PaceOf(ttl)
	if err = cmp.Or(ctx.Err(), key.Check(), err, life.Err()); err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	found, err := keeper.Read(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	return &Session{keeper: keeper, life: life, key: key, pace: pace, found: found, lost: make(chan struct{})}, nil
}

// Found implements [store.Session].
func (s *Session) Found() (store.Record, bool) {
	if s.found == nil {
		return store.Record{}, false
	}
	return s.found.Record, true
}

// Publish implements [store.Session].
func (s *Session) Publish(ctx context.Context, r store.Record) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	_, err := store.Encode(r)
	if err == nil && r.Key() != s.key {
		err = fmt.Errorf("it belongs to %s", r.Key())
	}
	if err = cmp.Or(err, ctx.Err(), s.open()); err == nil {
		err = s.put(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("publish record of host %s: %w", s.key.Host, err)
	}
	return nil
}

// put writes a record unless it is there already. What this session holds is
// taken to be there still: if it is not, the write is raced.
func (s *Session) put(ctx context.Context, r store.Record) error {
	over := s.holding()
	for range mostRaces {
		if over == nil || !r.Ahead(over.Record) {
			var err error
			if over, err = s.keeper.Read(ctx, s.key); err != nil {
				return err
			}
		}
		held, err := s.over(ctx, r, over)
		if err == nil {
			return s.hold(ctx, held)
		}
		if !errors.Is(err, ErrRaced) {
			return err
		}
		over = nil
	}
	return ErrRaced
}

// over puts a record in the place of the one that is there.
func (s *Session) over(ctx context.Context, r store.Record, over *Held) (*Held, error) {
	switch {
	case over == nil || r.Ahead(over.Record):
		return s.keeper.Write(ctx, r, s.pace.TTL, over)
	case r.Same(over.Record):
		err := s.keeper.Renew(ctx, over, s.pace.TTL)
		if errors.Is(err, ErrGone) { // it is there, and not held as it has to be
			return s.keeper.Write(ctx, r, s.pace.TTL, over)
		}
		return over, err
	}
	if held := s.holding(); held != nil && held.Record.Incarnation != over.Record.Incarnation {
		s.lose(held)
	}
	return nil, fmt.Errorf("%w: incarnation %s, number %d", store.ErrFenced, over.Record.Incarnation, over.Record.Seq)
}

// hold has a record renewed from now on.
func (s *Session) hold(ctx context.Context, h *Held) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held, s.incarnation = h, h.Record.Incarnation
	if s.isLost {
		s.lost, s.isLost = make(chan struct{}), false
	}
	if s.stop != nil || s.closed {
		return nil
	}
	ctx, end, err := s.life.Begin(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	s.stop = func() { cancel(); <-ended }
	go func() {
		defer close(ended)
		defer end()
		s.renew(ctx)
	}()
	return nil
}

// renew keeps what is held alive until ctx ends.
func (s *Session) renew(ctx context.Context) {
	failures := 0
	for {
		wait := s.pace.Renewal()
		if failures > 0 {
			wait = s.pace.Backoff(failures)
		}
		if !Sleep(ctx, wait) {
			return
		}
		held := s.holding()
		if held == nil {
			failures = 0
			continue
		}
		call, cancel := context.WithTimeout(ctx, s.pace.Call)
		err := s.keeper.Renew(call, held, s.pace.TTL)
		cancel()
		switch {
		case err == nil:
			failures = 0
		case errors.Is(err, ErrGone):
			s.lose(held)
		default:
			failures++
		}
	}
}

// Withdraw implements [store.Session].
func (s *Session) Withdraw(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	err := cmp.Or(ctx.Err(), s.open())
	if err == nil {
		err = s.drop(ctx)
	}
	if err != nil {
		return fmt.Errorf("withdraw record of host %s: %w", s.key.Host, err)
	}
	return nil
}

// drop removes the record if it is this session's.
func (s *Session) drop(ctx context.Context) error {
	s.mu.Lock()
	mine := s.incarnation
	s.held = nil
	s.mu.Unlock()
	if mine == "" {
		return nil
	}
	for range mostRaces {
		over, err := s.keeper.Read(ctx, s.key)
		switch {
		case err != nil:
			return err
		case over == nil:
			return nil
		case over.Record.Incarnation != mine:
			return store.ErrFenced
		}
		if err := s.keeper.Remove(ctx, over); !errors.Is(err, ErrRaced) {
			return err
		}
	}
	return ErrRaced
}

// Lost implements [store.Session].
func (s *Session) Lost() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Close implements [store.Session].
func (s *Session) Close() error {
	s.mu.Lock()
	s.closed = true
	stop := s.stop
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
	return nil
}

// open is ErrClosed if the session or its store has been closed.
func (s *Session) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	return s.life.Err()
}

// holding is what is renewed; nil: nothing.
func (s *Session) holding() *Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// lose tells the session's owner that it no longer holds h, if it still did.
func (s *Session) lose(h *Held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != h {
		return
	}
	s.held = nil
	if !s.isLost {
		s.isLost = true
		close(s.lost)
	}
}
