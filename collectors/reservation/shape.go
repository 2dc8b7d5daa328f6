package reservation

import (
	"cmp"
	"fmt"
	"slices"
)

// MostShapes bounds [Reservation.Shapes]: a host rarely runs more than some
// dozens of revisions at once.
const MostShapes = 64

// A Shape is what each of several like tasks holds: what a reader that packs
// tasks onto hosts has to move as one.
type Shape struct {
	Service    string
	ECSService string
	Family     string
	CPU        int64
	Memory     int64
	GPU        int64
	Ports      []Port
	Tasks      int
}

// shapes groups tasks of known size that are not to stop, the most numerous shapes first, and
// returns how many tasks the bound leaves out.
func shapes(shares []Share) (all []Shape, left int) {
	at := map[string]int{}
	for _, s := range shares {
		if s.Unknown || s.Status != Counted && s.Status != Pending {
			continue
		}
		shape := Shape{s.Service, s.ECSService, s.Family, s.CPU, s.Memory, s.GPU, s.Ports, 0}
		key := fmt.Sprintf("%+v", shape)
		i, seen := at[key]
		if !seen {
			i, at[key] = len(all), len(all)
			all = append(all, shape)
		}
		all[i].Tasks++
	}
	slices.SortFunc(all, func(a, b Shape) int {
		return cmp.Or(cmp.Compare(b.Tasks, a.Tasks), cmp.Compare(a.Service, b.Service), cmp.Compare(a.ECSService, b.ECSService), cmp.Compare(a.Family, b.Family),
			cmp.Compare(a.CPU, b.CPU), cmp.Compare(a.Memory, b.Memory), cmp.Compare(a.GPU, b.GPU))
	})
	for _, s := range all[min(len(all), MostShapes):] {
		left += s.Tasks
	}
	return all[:min(len(all), MostShapes)], left
}
