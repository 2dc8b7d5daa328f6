package dogstatsd_test

import (
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/dogstatsd"
)

// A small buffer is all that a process gets that may not ask for more: it then
// waits for less time.
func TestTheWaitFitsTheBuffer(t *testing.T) {
	const small, usual = 212992, 8 << 20
	tests := map[string]struct {
		rate, room int // datagrams a second of 80 bytes, bytes
		least      time.Duration
		most       time.Duration
	}{
		"nothing comes":                         {0, small, 5 * time.Millisecond, 5 * time.Millisecond},
		"few come":                              {1000, small, 5 * time.Millisecond, 5 * time.Millisecond},
		"many come, and the buffer is small":    {100_000, small, 300 * time.Microsecond, 600 * time.Microsecond},
		"many come, and the buffer is as usual": {100_000, usual, 5 * time.Millisecond, 5 * time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := dogstatsd.NewPace(tt.room)
			now := time.Now()
			for range 200 {
				passed := max(p.Wait(), time.Millisecond)
				now = now.Add(passed)
				p.Batch(now, int(float64(tt.rate)*passed.Seconds()), 80)
			}
			if got := p.Wait(); got < tt.least || got > tt.most {
				t.Errorf("waits %v, want %v to %v", got, tt.least, tt.most)
			}
		})
	}
}

func TestTheWaitIsShortenedAtOnceAndLengthenedSlowly(t *testing.T) {
	p := dogstatsd.NewPace(212992)
	now := time.Now()
	p.Batch(now, 0, 80)
	p.Batch(now.Add(5*time.Millisecond), 500, 80)
	short := p.Wait()
	p.Batch(now.Add(10*time.Millisecond), 0, 80)
	if long := p.Wait(); short > time.Millisecond || long <= short || long > short+time.Millisecond {
		t.Errorf("after a burst it waits %v, and after the next batch %v", short, long)
	}
}
