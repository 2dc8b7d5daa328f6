package simulate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/berth-dev/berth/janitor/images"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// A Way is how images are chosen to go.
type Way string

// The ways.
const (
	Ours    Way = "berth"   // the production planner
	LRU     Way = "lru"     // least recently used first, as docuum does it
	Age     Way = "age"     // daily, whatever is not in use and was built long ago, as docker image prune -a --filter until does it
	Oracle  Way = "oracle"  // whose next use is farthest away first: nobody can know that, and hardly anything is better
	Nothing Way = "nothing" // none goes
)

// A Policy is a way with its figure.
type Policy struct {
	Way      Way
	Capacity int64         // bytes of layers, for Ours, LRU and Oracle: what goes beyond is removed
	Until    time.Duration // since an image was built, for Age
}

// low is the share of the capacity down to which images are removed once it is
// exceeded: neither of those who work by capacity removes one image at a time.
const low = 0.9

// A keeper applies a policy to a host.
type keeper interface {
	pulled(h *host, name string, took time.Duration)
	started(h *host)
	// relieve removes what the policy wants removed now.
	relieve(h *host)
}

func (p Policy) keeper(trace []Event) keeper {
	switch p.Way {
	case Oracle:
		return &oracle{capacity: p.Capacity, future: trace}
	case Ours:
		return &ours{capacity: p.Capacity, ledger: usage.New()}
	case LRU:
		return lru{capacity: p.Capacity}
	case Age:
		return &age{until: p.Until}
	default:
		return idle{}
	}
}

type idle struct{}

func (idle) pulled(*host, string, time.Duration) {}
func (idle) started(*host)                       {}
func (idle) relieve(*host)                       {}

type lru struct {
	idle
	capacity int64
}

func (p lru) relieve(h *host) {
	if h.bytes <= p.capacity {
		return
	}
	for _, i := range h.unused() {
		if float64(h.bytes) <= low*float64(p.capacity) {
			return
		}
		h.remove(i.ID)
	}
}

type oracle struct {
	idle
	capacity int64
	future   []Event
}

func (p *oracle) relieve(h *host) {
	if h.bytes <= p.capacity {
		return
	}
	next := map[string]int{} // event with which an image is used next, from the present one
	n, _ := slices.BinarySearchFunc(p.future, h.now, func(e Event, at time.Time) int { return e.At.Compare(at) })
	p.future = p.future[n:]
	for n, e := range p.future {
		if id := idOf(e.Image); e.Kind == Started && e.At.After(h.now) && next[id] == 0 {
			next[id] = n + 1
		}
	}
	unused := h.unused()
	slices.SortStableFunc(unused, func(a, b *stored) int {
		x, y := cmp.Or(next[a.ID], math.MaxInt), cmp.Or(next[b.ID], math.MaxInt)
		return cmp.Compare(y, x)
	})
	for _, i := range unused {
		if float64(h.bytes) <= low*float64(p.capacity) {
			return
		}
		h.remove(i.ID)
	}
}

type age struct {
	idle
	until time.Duration
	next  time.Time
}

func (p *age) relieve(h *host) {
	if h.now.Before(p.next) {
		return
	}
	p.next = h.now.Truncate(24 * time.Hour).Add(28 * time.Hour) // four in the morning
	for _, i := range h.unused() {
		if h.now.Sub(i.Created) > p.until {
			h.remove(i.ID)
		}
	}
}

// ours is the production planner with the production ledger. Its policy is that
// of a disk which decides: whatever is older than the hour that every image has
// may go, and nothing but the order of the planner speaks for any of them.
type ours struct {
	capacity int64
	ledger   *usage.Ledger
}

func (p *ours) pulled(h *host, name string, took time.Duration) {
	p.ledger.Listed(h.store().Images, nil, h.now)
	p.ledger.Pulled(name, h.now, took)
}

func (p *ours) started(h *host) { p.ledger.Running(h.running(), h.now) }

func (p *ours) relieve(h *host) {
	if h.bytes <= p.capacity {
		return
	}
	store := h.store()
	p.ledger.Listed(store.Images, nil, h.now)
	p.ledger.Running(store.Containers, h.now)
	plan := images.MakePlan(images.Facts{
		Store: store, Usage: p.ledger.View(), Need: h.bytes - int64(low*float64(p.capacity)),
	}, images.Policy{MinAge: time.Nanosecond, Dangling: time.Nanosecond}, h.now)
	for _, d := range plan.Removals() {
		h.remove(d.ID)
	}
}
