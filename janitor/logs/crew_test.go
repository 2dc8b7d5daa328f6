package logs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-dev/berth/janitor/logs"
)

func TestEveryTaskIsDoneOnce(t *testing.T) {
	for _, all := range []int{0, 1, 2, 1000} {
		done := make([]atomic.Int32, all)
		logs.Each(all, func(i int) { done[i].Add(1) })
		for i := range done {
			if n := done[i].Load(); n != 1 {
				t.Errorf("of %d tasks number %d was done %d times", all, i, n)
			}
		}
	}
}

// One worker that mostly waits gets company; one that does not stays alone, for
// it would only be kept from its work.
func TestWhoWaitsForTheDiskGetsCompany(t *testing.T) {
	t.Run("waits", func(t *testing.T) {
		var under atomic.Int32
		together := make(chan struct{})
		logs.Each(logs.Purgers+1, func(i int) {
			if i == 0 { // long enough to be noticed
				<-time.After(2 * logs.Glance)
				return
			}
			if under.Add(1) == logs.Purgers {
				close(together)
			}
			<-together
		})
	})
	t.Run("works", func(t *testing.T) {
		var under, most atomic.Int32
		logs.Each(50, func(int) {
			most.Store(max(most.Load(), under.Add(1)))
			for range 1 << 22 { // some milliseconds
				under.Load()
			}
			under.Add(-1)
		})
		if n := most.Load(); n != 1 {
			t.Errorf("%d worked at once", n)
		}
	})
}
