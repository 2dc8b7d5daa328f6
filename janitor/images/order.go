package images

import (
	"cmp"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// An order says which images go first where not all have to: those whose
// absence is expected to cost the fewest seconds of pulling for each byte that
// becomes free.
type order struct {
	layers map[string]*layer // by chain
	of     map[string][]*layer
	worth  map[string]float64 // by image
	rate   float64            // bytes a second that pulls bring here
	pulls  map[string]time.Duration
}

// A layer is one layer of the store, and who needs it.
type layer struct {
	size    int64
	holders int // images that have it
	going   int // those of them that may go
}

const (
	defaultRate = 50e6 // bytes a second
	handshake   = 1.0  // seconds that a pull takes whatever there is to bring
)

func newOrder(f Facts, now time.Time) *order {
	o := &order{layers: map[string]*layer{}, of: map[string][]*layer{}, worth: map[string]float64{}, pulls: map[string]time.Duration{}}
	for _, i := range f.Store.Images {
		for _, l := range layersOf(i) {
			known := o.layers[l.Chain]
			if known == nil {
				known = &layer{size: l.Size}
				o.layers[l.Chain] = known
			}
			known.holders++
			o.of[i.ID] = append(o.of[i.ID], known)
		}
	}
	o.rate = pullRate(f.Usage)
	wanted := newDemand(f.Usage, now)
	for _, i := range f.Store.Images {
		e := f.Usage.Images[i.ID]
		o.pulls[i.ID] = e.Pull
		o.worth[i.ID] = wanted.of(i, e)
	}
	return o
}

// layersOf are an image's layers; where nobody knows them, it is one.
func layersOf(i inventory.Image) []inventory.Layer {
	if len(i.Layers) == 0 {
		return []inventory.Layer{{Chain: i.ID, Size: i.Size}}
	}
	return i.Layers
}

// pullRate is the median of what the pulls that were timed have brought in a
// second.
func pullRate(v usage.View) float64 {
	var rates []float64
	for _, e := range v.Images {
		if e.Pull > 0 && e.Size > 0 {
			rates = append(rates, float64(e.Size)/e.Pull.Seconds())
		}
	}
	if len(rates) == 0 {
		return defaultRate
	}
	slices.Sort(rates)
	return rates[len(rates)/2]
}

// seconds is what it takes to pull so many bytes of an image again: layers that
// are still here are not pulled.
func (o *order) seconds(id string, size, missing int64) float64 {
	if took := o.pulls[id]; took > 0 && size > 0 {
		return handshake + took.Seconds()*float64(missing)/float64(size)
	}
	return handshake + float64(missing)/o.rate
}

// choose splits images into those that go, in their order, and those that stay.
// With a need, no more go than it takes.
func (o *order) choose(all []Decision, need int64) (going, staying []Decision) {
	for _, d := range all {
		if d.Verdict == Remove {
			going = append(going, d)
		} else {
			staying = append(staying, d)
		}
	}
	o.sort(going)
	if need == 0 {
		o.free(going)
		return going, staying
	}
	going, spared := o.enough(going, need)
	o.free(going)
	for _, d := range spared {
		d.keep(CodeEnough, "the disk has room enough without it")
		staying = append(staying, d)
	}
	return going, staying
}

// sort puts first what costs least to lose. An image that shares a layer only
// with others that may go is credited with its part of it.
func (o *order) sort(going []Decision) {
	for _, d := range going {
		for _, l := range o.of[d.ID] {
			l.going++
		}
	}
	cost := make(map[string]float64, len(going))
	for n := range going {
		d := &going[n]
		var part float64
		for _, l := range o.of[d.ID] {
			if l.going == l.holders {
				part += float64(l.size) / float64(l.holders)
			}
		}
		d.Worth = o.worth[d.ID] * o.seconds(d.ID, d.Size, int64(part))
		cost[d.ID] = d.Worth / max(part, 1)
	}
	slices.SortFunc(going, func(a, b Decision) int {
		return cmp.Or(cmp.Compare(cost[a.ID], cost[b.ID]), cmp.Compare(a.ID, b.ID))
	})
	for _, l := range o.layers {
		l.going = 0
	}
}

// enough returns the first of those that go which together free what is needed,
// without those that are not needed for that after all.
func (o *order) enough(sorted []Decision, need int64) (going, spared []Decision) {
	var total int64
	n := 0
	for ; n < len(sorted) && total < need; n++ {
		total += o.take(sorted[n].ID)
	}
	for _, d := range slices.Backward(sorted[:n]) { // the dearest first
		if back := o.give(d.ID); total-back >= need || back == 0 {
			total -= back
			spared = append(spared, d)
		} else {
			o.take(d.ID)
			going = append(going, d)
		}
	}
	for _, d := range going {
		o.give(d.ID)
	}
	slices.Reverse(going)
	return going, append(spared, sorted[n:]...)
}

// free says of each image what becomes free with it, after those before it.
func (o *order) free(going []Decision) {
	for n := range going {
		going[n].Bytes = o.take(going[n].ID)
	}
	for _, d := range going {
		o.give(d.ID)
	}
}

// take removes an image from the graph and returns how many bytes nobody needs
// any more.
func (o *order) take(id string) (freed int64) {
	for _, l := range o.of[id] {
		if l.holders--; l.holders == 0 {
			freed += l.size
		}
	}
	return freed
}

// give puts it back, and returns how many bytes are needed again.
func (o *order) give(id string) (needed int64) {
	for _, l := range o.of[id] {
		if l.holders++; l.holders == 1 {
			needed += l.size
		}
	}
	return needed
}
