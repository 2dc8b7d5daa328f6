package dogstatsd_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/dogstatsd"
	"github.com/berth-dev/berth/collectors/inventory"
)

var lives = flag.Int("lives", 1000, "containers that come and go in TestNoDatagramGetsAnothersName")

// A host is what Docker would tell of one, some time after it was so.
type host struct {
	*rig
	mu    sync.Mutex // guards alive
	alive map[inventory.ID]dogstatsd.Origin
	told  map[int]bool // containers that were named before they ended
}

func (h *host) tell(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
	h.Origins(slices.Collect(maps.Values(h.alive)))
}

// live is a container's life: it sends from its first moment on, is named while
// it does, and its end is told a little after it.
func (h *host) live(n int, at netip.Addr) {
	o := container(n)
	o.Addresses, o.Started = []netip.Addr{at}, time.Now()
	c := h.client(at)
	defer c.c.Close()
	end := time.Now().Add(time.Duration(20+rand.IntN(60)) * time.Millisecond)
	named := time.Now().Add(time.Duration(rand.IntN(30)) * time.Millisecond)
	for now := time.Now(); now.Before(end); now = time.Now() {
		if !named.IsZero() && now.After(named) {
			h.tell(func() { h.alive[o.ID], h.told[n] = o, true })
			named = time.Time{}
		}
		c.send("n:%d|c", n)
		rest(time.Duration(rand.IntN(3000)) * time.Microsecond)
	}
	gone := time.Now()
	rest(time.Duration(rand.IntN(2000)) * time.Microsecond)
	h.Ended(o.ID, gone)
	rest(time.Duration(rand.IntN(20)) * time.Millisecond)
	h.tell(func() { delete(h.alive, o.ID) })
}

// Addresses are used again as soon as Docker would. The machine may stall: then
// a line may lack its name, but it never has another's.
//
// proves R1.
func TestNoDatagramGetsAnothersName(t *testing.T) {
	up := unixSink(t)
	up.listen()
	h := &host{rig: start(t, dogstatsd.Options{Settings: to(up)}), alive: map[inventory.ID]dogstatsd.Origin{}, told: map[int]bool{}}
	var next atomic.Int64
	var addresses sync.WaitGroup
	for i := range 16 {
		addresses.Go(func() {
			for {
				n := int(next.Add(1))
				if n > *lives {
					return
				}
				h.live(n, home(i))
				rest(50 * time.Millisecond) // Docker takes longer to start the next
			}
		})
	}
	addresses.Wait()
	s := h.balanced()
	wrong, without := 0, 0
	for _, l := range up.want(int(s.Total.Delivered)) {
		text, name, named := strings.Cut(strings.TrimPrefix(l, "n:"), "|c|c:ci-")
		var n int
		if _, err := fmt.Sscan(strings.TrimSuffix(text, "|c"), &n); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		switch {
		case !named && h.told[n]:
			without++
		case !named: // nobody could know
		case name != string(id(n)):
			wrong++
			t.Errorf("%q has another's name", l)
		}
	}
	t.Logf("%d lives, %d messages, %d of those that could be named without a name, %d with another's", *lives, s.Total.Messages, without, wrong)
	if without > int(s.Total.Messages)/20 {
		t.Error("too many lack their name")
	}
}
