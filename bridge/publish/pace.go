package publish

import (
	"context"
	"math/rand/v2"
	"time"
)

// How publishing is paced.
const (
	debounce     = 20 * time.Millisecond  // after a change: more of the same cause may follow
	between      = 200 * time.Millisecond // at least, between two records
	lookAgain    = 30 * time.Second       // for an address, while the host has none
	patience     = 5 * time.Second        // with the ECS agent, before the first record says what Docker alone knows
	firstBackoff = time.Second
)

// A pace is what follows from the TTL. Two calls that hang and the longest
// pauses between them are over within one TTL, so that an outage of the store
// that ends costs no record.
type pace struct {
	ttl     time.Duration
	timeout time.Duration // of a call to the store
	slowest time.Duration // pause between two tries
}

func paceOf(ttl time.Duration) pace {
	return pace{ttl: ttl, timeout: min(4*time.Second, ttl/8), slowest: min(15*time.Second, ttl/4)}
}

// backoff is how long to wait after so many failures in a row: at least two
// thirds of a limit that doubles, so that hosts return neither in step nor all
// at once.
func (p pace) backoff(failures int) time.Duration {
	limit := min(firstBackoff, p.slowest)
	for range failures - 1 {
		limit = min(2*limit, p.slowest)
	}
	return limit - upTo(limit/3)
}

// upTo is a random duration up to d.
func upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d)
}

// sleep waits, and reports whether ctx is still going on.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
