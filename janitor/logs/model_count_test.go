package logs_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// counts are what a model has done.
type counts struct {
	steps, sweeps, removed, purged, restored, crashes, faults, swaps, blind atomic.Int64
}

// A sum is counts of all models.
type sum struct {
	steps, sweeps, removed, purged, restored, crashes, faults, swaps, blind int64
}

func totals(hosts []*model) (s sum) {
	for _, m := range hosts {
		c := &m.count
		for total, n := range map[*int64]*atomic.Int64{
			&s.steps: &c.steps, &s.sweeps: &c.sweeps, &s.removed: &c.removed, &s.purged: &c.purged, &s.restored: &c.restored,
			&s.crashes: &c.crashes, &s.faults: &c.faults, &s.swaps: &c.swaps, &s.blind: &c.blind,
		} {
			*total += n.Load()
		}
	}
	return s
}

func (s sum) String() string {
	return fmt.Sprintf("%d steps, %d sweeps (%d blind), %d removed, %d purged, %d restored, %d crashes, %d faults, %d acts of tenants during a sweep",
		s.steps, s.sweeps, s.blind, s.removed, s.purged, s.restored, s.crashes, s.faults, s.swaps)
}

// progress prints what was done every ten seconds.
func progress(hosts []*model) (stop func()) {
	began, done, ended := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(10 * time.Second); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				fmt.Fprintf(os.Stderr, "model: %v: %v\n", time.Since(began).Round(time.Second), totals(hosts))
			}
		}
	}()
	return func() { close(done); <-ended }
}
