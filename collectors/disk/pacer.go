package disk

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// A Pacer slows work on a disk down while others wait for the disk. The zero
// Pacer is ready, and safe for concurrent use.
type Pacer struct {
	Proc      string        // empty: /proc
	Threshold float64       // stall from which it pauses, in percent; zero: 20
	Longest   time.Duration // pause; zero: 200 ms
	Emergency func() bool   // while it says so there is no pause; nil: never

	mu    sync.Mutex    // guards pause
	pause time.Duration // the last one of this stall
}

const (
	defaultThreshold = 20
	shortestPause    = 10 * time.Millisecond
	defaultLongest   = 200 * time.Millisecond
)

// Pace is called between two batches of work. It pauses while the disk stalls,
// each time twice as long as the time before, up to the longest pause. The
// error is that of ctx.
func (p *Pacer) Pace(ctx context.Context) error {
	if pause := p.next(); pause > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return ctx.Err()
}

// next is how long to pause now.
func (p *Pacer) next() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	stall, ok := Stall(cmp.Or(p.Proc, "/proc"))
	if !ok || stall < cmp.Or(p.Threshold, defaultThreshold) || p.Emergency != nil && p.Emergency() {
		p.pause = 0
		return 0
	}
	p.pause = min(max(2*p.pause, shortestPause), cmp.Or(p.Longest, defaultLongest))
	return p.pause
}
