package docker

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Status is how the watch is doing.
type Status struct {
	Socket     string
	Connected  bool          // the event stream is open and a complete listing was seen since
	Blind      string        // why the picture may be out of date; empty while it is current
	BlindSince time.Time     // zero while it is current
	BlindTotal time.Duration // all blind times since the start, the present one included
	Reconnects uint64        // connections that took the place of a lost one
	LastEvent  time.Time     // as the Engine stamped it; zero: none yet
	LastList   time.Time     // when the newest listing was asked for; zero: none yet
}

// Status may be called from any goroutine.
func (w *Watcher) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	s.Socket = w.Client.Socket()
	if !s.BlindSince.IsZero() {
		s.BlindTotal += time.Since(s.BlindSince)
	}
	return s
}

// note changes the status.
func (w *Watcher) note(change func(*Status)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.status)
}

// goBlind marks the picture as possibly out of date. Only a new reason is
// logged and shown.
func (w *Watcher) goBlind(p *picture, err error) {
	reason := w.reason(err)
	changed := false
	w.note(func(s *Status) {
		changed = s.Blind != reason
		s.Connected, s.Blind = false, reason
		if s.BlindSince.IsZero() {
			s.BlindSince = time.Now()
		}
		p.blind, p.blindSince = s.Blind, s.BlindSince
	})
	if changed {
		w.Log.Warn("lost sight of docker", "err", reason)
		w.Inventory.Replace(p.snapshot())
	}
}

// goSighted takes the mark away: a complete listing has just been seen.
func (w *Watcher) goSighted(p *picture) {
	var blindFor time.Duration
	first := !p.synced
	w.note(func(s *Status) {
		if !first && !s.Connected {
			s.Reconnects++
		}
		if !s.BlindSince.IsZero() {
			blindFor = time.Since(s.BlindSince)
		}
		s.Connected, s.Blind, s.BlindSince = true, "", time.Time{}
		s.BlindTotal += blindFor
	})
	p.synced, p.blind, p.blindSince = true, "", time.Time{}
	if first || blindFor > 0 {
		w.Log.Info("see docker", "version", p.engine.Version, "root", p.engine.RootDir,
			"containers", len(p.listed), "blind", blindFor.Round(time.Millisecond))
	}
}

// reason is a sentence that names the socket and the cause.
func (w *Watcher) reason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		err = errno
	}
	return fmt.Sprintf("docker: %s: %v", w.Client.Socket(), err)
}
