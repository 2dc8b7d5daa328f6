package dogstatsd

import "time"

const (
	mostWait  = 5 * time.Millisecond
	leastWait = 100 * time.Microsecond
	overhead  = 1024 // bytes that a datagram takes in a socket's buffer beside its own, at most
)

// A pace is for how long datagrams may gather: no longer than the fullest
// socket's queue takes to fill a quarter of what the kernel has granted.
type pace struct {
	wait   time.Duration
	room   int // bytes of the smallest buffer
	since  time.Time
	passed time.Duration
	filled int // bytes in the fullest queue of this batch
}

func (p *pace) begin(now time.Time) {
	p.passed, p.since, p.filled = now.Sub(p.since), now, 0
}

func (p *pace) read(filled int) { p.filled = max(p.filled, filled) }

// end shortens the wait at once and lengthens it slowly: bursts come again.
func (p *pace) end() {
	safe := mostWait
	if p.filled > 0 && p.room > 0 {
		safe = min(mostWait, time.Duration(float64(min(p.passed, time.Second))*float64(p.room)/4/float64(p.filled)))
	}
	if safe = max(safe, leastWait); safe < p.wait {
		p.wait = safe
		return
	}
	p.wait += (safe - p.wait + 15) / 16
}
