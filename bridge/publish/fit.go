package publish

import (
	"errors"
	"math"
	"sort"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// fit returns the record as far as the store takes it: one that is too large
// loses first its shapes, which packing alone needs, then as many mappings as it
// must, from the end, so that JMXMP's go last. How many are gone stands in the
// record and in the status. A host that said nothing would be taken for dead.
func fit(r store.Record) store.Record {
	if fits(r) {
		return r
	}
	if r.Reservation != nil {
		short := *r.Reservation
		short.Shapes = nil
		r.Reservation = &short
	}
	all := r.Mappings
	cut := func(n int) store.Record {
		r.Cut, r.Mappings = n, all[:len(all)-n]
		return r
	}
	return cut(sort.Search(len(all), func(n int) bool { return fits(cut(n)) }))
}

// fits reports whether the store takes a record, whatever number it will have.
func fits(r store.Record) bool {
	r.Incarnation, r.Seq = store.NewIncarnation(time.Time{}, ""), math.MaxUint64
	_, err := store.Encode(r)
	return !errors.Is(err, store.ErrTooLarge)
}
