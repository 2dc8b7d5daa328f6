package remote

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Limits of a pace that do not depend on the TTL.
const (
	longestCall  = 4 * time.Second
	longestPause = 15 * time.Second
	firstPause   = time.Second
)

// A Pace is how often a server is asked, for records of one TTL.
type Pace struct {
	TTL   time.Duration
	Call  time.Duration // deadline of one call
	Pause time.Duration // between two tries, at most
}

// PaceOf returns the pace for a TTL, or why it would lose records: two calls
// that hang, each with the longest pause after it, have to be over within it.
func PaceOf(ttl time.Duration) (Pace, error) {
	p := Pace{TTL: ttl, Call: min(longestCall, ttl/8), Pause: min(longestPause, ttl/4)}
	if ttl <= 0 || 2*(p.Pause+p.Call) >= ttl {
		return p, fmt.Errorf("a TTL of %s is too short", ttl)
	}
	return p, nil
}

// Renewal is when the next renewal is due: after a random time between two
// ninths and a third of the TTL, 20 to 30 s for 90 s.
func (p Pace) Renewal() time.Duration { return p.TTL*2/9 + rand.N(p.TTL/9) }

// Backoff is how long to wait after so many failures in a row: at least two
// thirds of a limit that doubles. Hosts do not return in step, and not all at
// once either: were a short pause as likely as a long one, most of those that
// wait when the server comes back would be nearly due.
func (p Pace) Backoff(failures int) time.Duration {
	limit := min(firstPause, p.Pause)
	for range failures - 1 {
		limit = min(2*limit, p.Pause)
	}
	return limit - rand.N(limit/3)
}

// Sleep waits, and reports whether ctx is still going on.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
