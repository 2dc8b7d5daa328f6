package images

import (
	"context"
	"time"
)

const (
	relist = time.Hour       // how often images are listed without a sign of change
	quiet  = 2 * time.Second // how long signs of change are gathered
)

// A pull is the end of a pull that Docker has told of.
type pull struct {
	name string
	at   time.Time
	took time.Duration // 0: nobody knows
}

// Changed says that the images may have changed. It does not wait.
func (s *Sweeper) Changed() {
	s.once.Do(func() { s.bell = make(chan struct{}, 1) })
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// Pulled says that a pull of an image has ended.
func (s *Sweeper) Pulled(name string, at time.Time) {
	var took time.Duration
	if s.Pulls != nil {
		took = s.Pulls.Took(at)
	}
	s.heard.Lock()
	s.pulls = append(s.pulls, pull{name, at, took})
	s.pulls = s.pulls[max(0, len(s.pulls)-maxPulls):]
	s.heard.Unlock()
	s.Changed()
}

// maxPulls is how many pulls wait for the listing that explains them.
const maxPulls = 1000

// Run keeps the memory of images up to date until ctx is cancelled, and ends
// what a crash has left behind.
func (s *Sweeper) Run(ctx context.Context) error {
	s.Changed()
	again := time.NewTimer(relist)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		case <-s.bell:
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(quiet):
			}
		}
		next := relist
		if !s.refresh(ctx) {
			next = time.Minute
		}
		again.Reset(next)
	}
}

// refresh lists the images for the ledger, and ends moves that did not end.
func (s *Sweeper) refresh(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.look(ctx, false)
	if f.Blind != "" {
		return false
	}
	s.heard.Lock()
	pulls := s.pulls
	s.pulls = nil
	s.heard.Unlock()
	for _, p := range pulls {
		s.Ledger.Pulled(p.name, p.at, p.took)
	}
	if err := s.recover(ctx); err != nil {
		s.Log.Warn("give images their names back", "err", err)
		return false
	}
	return true
}
