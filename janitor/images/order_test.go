package images_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// shared is a host of random images that share random layers; half of them are
// in use.
func shared(r *rand.Rand, count, layers int) *host {
	h := newHost()
	for n := range count {
		i := inventory.Image{ID: imageID(n), Tags: []string{fmt.Sprintf("r%d:%d", n%3, n)}}
		for l := range layers {
			if r.IntN(3) == 0 {
				size := int64(1+l*l) * 1000
				i.Layers = append(i.Layers, inventory.Layer{Chain: fmt.Sprint("l", l), Size: size})
				i.Size += size
			}
		}
		if len(i.Layers) == 0 {
			i.Size = 500 // whose layers nobody knows
		}
		h.add(i, 30*day, time.Duration(8+r.IntN(20))*day)
		if r.IntN(2) == 0 {
			h.run(n, "x", i.ID, inventory.Running)
		}
	}
	return h
}

// frees counts by hand what the store loses with a set of images.
func frees(all []inventory.Image, gone map[string]bool) (total int64) {
	sizes, here := map[string]int64{}, map[string]bool{}
	for _, i := range all {
		layers := i.Layers
		if len(layers) == 0 {
			layers = []inventory.Layer{{Chain: i.ID, Size: i.Size}}
		}
		for _, l := range layers {
			sizes[l.Chain] = l.Size
			here[l.Chain] = here[l.Chain] || !gone[i.ID]
		}
	}
	for chain, size := range sizes {
		if !here[chain] {
			total += size
		}
	}
	return total
}

// A layer is free with the last image that has it: the bytes of each removal and
// of all together are those of the layers that nobody needs then.
func TestBytesAreThoseOfLayersThatNobodyNeeds(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		h := shared(r, 1+r.IntN(10), 8)
		p := h.plan()
		gone, before := map[string]bool{}, int64(0)
		for _, d := range p.Removals() {
			gone[d.ID] = true
			now := frees(h.facts.Store.Images, gone)
			if d.Bytes != now-before {
				t.Fatalf("seed %d: removal of %s frees %d bytes, want %d\n%s", seed, d.Name(), d.Bytes, now-before, p.Text())
			}
			before = now
		}
		if p.Frees != before {
			t.Fatalf("seed %d: the plan frees %d bytes, want %d", seed, p.Frees, before)
		}
	}
}

// With a need, what goes is enough wherever it can be, nothing of it could be
// left out, and over many hosts it costs hardly more than the best choice.
func TestWhatGoesForANeedIsEnoughAndNoMore(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	var cost, best float64
	for range 300 {
		h := shared(r, 2+r.IntN(8), 8)
		all := h.plan()
		if all.Frees == 0 {
			continue
		}
		h.facts.Need = 1 + r.Int64N(all.Frees)
		p := h.plan()
		if p.Frees < h.facts.Need {
			t.Fatalf("seed %d: %d bytes are wanted, %d could be had, and %d become free", seed, h.facts.Need, all.Frees, p.Frees)
		}
		gone := map[string]bool{}
		for _, d := range p.Removals() {
			gone[d.ID] = true
		}
		for id := range gone {
			gone[id] = false
			if frees(h.facts.Store.Images, gone) >= h.facts.Need {
				t.Fatalf("seed %d: without %s there is room enough\n%s", seed, id, p.Text())
			}
			gone[id] = true
		}
		cost += worth(p.Removals())
		best += cheapest(h, all.Removals())
	}
	t.Logf("what went was worth %.1f s of pulling; %.1f s is the least that had to go", cost, best)
	if cost > 1.1*best {
		t.Errorf("seed %d: what went was worth %.1f s of pulling, and %.1f s would have done", seed, cost, best)
	}
}

func worth(all []images.Decision) (seconds float64) {
	for _, d := range all {
		seconds += d.Worth
	}
	return seconds
}

// cheapest tries every set.
func cheapest(h *host, all []images.Decision) float64 {
	least := worth(all)
	for set := range uint(1) << len(all) {
		gone, sum := map[string]bool{}, 0.0
		for rest := set; rest != 0; rest &= rest - 1 {
			d := all[bits.TrailingZeros(rest)]
			gone[d.ID], sum = true, sum+d.Worth
		}
		if sum < least && frees(h.facts.Store.Images, gone) >= h.facts.Need {
			least = sum
		}
	}
	return least
}

// first returns which of two images of one size goes first.
func first(t *testing.T, h *host) string {
	t.Helper()
	h.facts.Need, h.policy.MinAge = 1, time.Hour
	removals := h.plan().Removals()
	if len(removals) != 1 {
		t.Fatalf("%d images go, want one\n%s", len(removals), h.plan().Text())
	}
	return removals[0].Names[0]
}

// starts are so many starts of an image, the last so long ago.
func (h *host) starts(id string, count int, every, last time.Duration) {
	e := h.facts.Usage.Images[id]
	e.Uses, e.Used, e.Starts = count, noon.Add(-last), nil
	for n := range count {
		e.Starts = append(e.Starts, noon.Add(-last-every*time.Duration(count-1-n)))
	}
	h.facts.Usage.Images[id] = e
}

func TestWhatIsLessLikelyToComeBackGoesFirst(t *testing.T) {
	for name, c := range map[string]struct {
		make func(h *host)
		want string
	}{
		"a replaced image before the newest": {func(h *host) {
			h.add(image(1, "orders:1"), 20*day, 10*day)
			h.add(image(2, "orders:2"), 10*day, 11*day)
			h.starts(imageID(2), 1, day, 9*day)
		}, "orders:1"},
		"one that was replaced twice before one that was replaced once": {func(h *host) {
			h.add(image(1, "orders:1"), 30*day, 12*day)
			h.add(image(2, "orders:2"), 20*day, 10*day)
			h.add(image(3, "orders:3"), 10*day, time.Minute)
			h.run(1, "orders:3", imageID(3), inventory.Running)
		}, "orders:1"},
		"a service that starts rarely before one that starts often": {func(h *host) {
			h.add(image(1, "often:1"), 60*day, day)
			h.add(image(2, "rarely:1"), 60*day, day)
			h.starts(imageID(1), 8, 7*time.Hour, 5*time.Hour)
			h.starts(imageID(2), 2, 20*day, 5*time.Hour)
		}, "rarely:1"},
		"one that was used at random before a job that is due": {func(h *host) {
			h.add(image(1, "nightly:1"), 60*day, day)
			h.add(image(2, "other:1"), 60*day, day)
			h.starts(imageID(1), 6, day, 20*time.Hour)
			h.starts(imageID(2), 3, 3*day, 20*time.Hour)
		}, "other:1"},
		"a job that stays away before one that is due": {func(h *host) {
			h.add(image(1, "due:1"), 90*day, day)
			h.add(image(2, "over:1"), 90*day, day)
			h.starts(imageID(1), 6, 5*day, 4*day+2*time.Hour)
			h.starts(imageID(2), 6, 5*day, 40*day)
		}, "over:1"},
	} {
		h := newHost()
		c.make(h)
		if got := first(t, h); got != c.want {
			t.Errorf("%s: %s goes first, want %s", name, got, c.want)
		}
	}
}

// What takes long to pull stays before what is quickly here again.
func TestWhatIsPulledQuicklyGoesFirst(t *testing.T) {
	h := newHost()
	h.add(image(1, "slow:1"), 30*day, 20*day)
	h.add(image(2, "quick:1"), 30*day, 20*day)
	for id, took := range map[string]time.Duration{imageID(1): time.Minute, imageID(2): time.Second} {
		e := h.facts.Usage.Images[id]
		e.Pulled, e.Pull = e.Seen, took
		h.facts.Usage.Images[id] = e
	}
	if got := first(t, h); got != "quick:1" {
		t.Errorf("%s goes first, want the one that is pulled in a second", got)
	}
}

// BenchmarkPlan plans a large host: 1,000 images, 5,000 layers, 200 containers
// and a memory of 3,000 images.
func BenchmarkPlan(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	h := newHost()
	for n := range 1000 {
		i := inventory.Image{ID: imageID(n), Tags: []string{fmt.Sprintf("host.example/team/service%d:%d", n%100, n)}}
		for l := range 10 {
			chain := fmt.Sprintf("own%d.%d", n, l)
			if l < 6 {
				chain = fmt.Sprintf("base%d.%d", r.IntN(160), l)
			}
			i.Layers = append(i.Layers, inventory.Layer{Chain: chain, Size: 1 + r.Int64N(50e6)})
			i.Size += i.Layers[l].Size
		}
		h.add(i, 60*day, time.Duration(1+r.IntN(40))*day)
		if n < 200 {
			h.run(n, i.Tags[0], i.ID, inventory.Running)
		}
	}
	for n := range 2000 {
		id := imageID(10_000 + n)
		h.facts.Usage.Images[id] = usage.Entry{ID: id, Names: []string{fmt.Sprintf("host.example/team/service%d:x%d", n%100, n)}, Gone: noon}
	}
	b.ReportAllocs()
	for b.Loop() {
		if p := h.plan(); len(p.Removals()) == 0 {
			b.Fatal("nothing goes")
		}
	}
}
