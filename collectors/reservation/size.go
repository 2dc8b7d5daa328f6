package reservation

import (
	"cmp"
	"slices"

	"github.com/berth-dev/berth/collectors/inventory"
)

const (
	leastShares = 2        // what Docker is told for 0 and 1
	mostShares  = 262144   // what Docker is told for anything more
	leastMemory = 4 * mebi // what Docker is told for any hard limit below
)

// Sources, as [Reservation.Source] names them.
const (
	FromAgent    = "introspection"        // the list of tasks
	FromMetadata = inventory.FromMetadata // sizes of whole tasks
	FromCgroup   = inventory.FromCgroup   // likewise
	FromRevision = "revision"             // the size of another task of the same revision
	FromDocker   = "docker"               // the settings of containers
)

// A size is what one task holds.
type size struct {
	CPU, Memory, GPU int64
	Ports            []Port
	ErrCPU           int64
	sources          []string
	doubts           []string // why it may not be the ECS agent's figure; each a key of doubtText
	unknown          bool     // something is missing altogether
	why              string
}

func (s size) exact() bool { return len(s.doubts) == 0 && !s.unknown }

// measure finds the size of a task from what it shows now, and from what the
// book remembers of its revision.
func (b *Book) measure(t *task) size {
	s := t.measure()
	if !s.unknown && !slices.Contains(s.doubts, noTaskSize) {
		return s
	}
	last, seen := b.families[t.Family]
	if !seen || t.Family == "" {
		return s
	}
	last.sources, last.doubts, last.unknown = []string{FromRevision}, []string{fromRevision}, false
	last.why = "as another task of revision " + t.Family + " was: " + last.why
	return last
}

// measure finds the size of a task from what it shows now.
func (t *task) measure() size {
	whole := cmp.Or(t.Size, &inventory.TaskSize{})
	s := size{GPU: t.gpus(), Ports: t.ports(), unknown: !t.complete() && (whole.CPU == 0 || whole.Memory == 0)}
	if !t.complete() && !s.unknown {
		s.doubts = append(s.doubts, laterParts)
	}
	if t.Size == nil {
		s.doubts = append(s.doubts, noTaskSize)
	} else {
		s.sources = append(s.sources, t.Size.Source)
	}
	if s.CPU = whole.CPU; whole.CPU == 0 {
		t.sumCPU(&s)
	}
	if s.Memory = whole.Memory; whole.Memory == 0 {
		t.sumMemory(&s)
	}
	if len(t.members) > 0 {
		s.sources = append(s.sources, FromDocker)
	}
	s.why = t.why(*whole)
	return s
}

// sumCPU adds up the containers' CPU units.
func (t *task) sumCPU(s *size) {
	for _, c := range t.members {
		units := max(0, c.Limits.CPUShares)
		own, told := t.own(c)
		switch {
		case units == leastShares:
			s.ErrCPU += leastShares
			s.doubts = append(s.doubts, leastCPU)
		case units >= mostShares && told:
			units = max(units, own.CPU)
		case units >= mostShares:
			s.doubts = append(s.doubts, mostCPU)
		}
		s.CPU += units
	}
}

// sumMemory adds up the containers' memory: soft limits, or hard ones where
// there is none.
func (t *task) sumMemory(s *size) {
	var bytes int64
	for _, c := range t.members {
		own, told := t.own(c)
		switch l := c.Limits; {
		case l.MemoryReservation <= 0 && l.Memory == leastMemory && told && own.Memory > 0:
			bytes += min(own.Memory, leastMemory/mebi) * mebi
		case l.MemoryReservation <= 0 && l.Memory == leastMemory:
			s.doubts = append(s.doubts, leastMiB)
			bytes += l.Memory
		default:
			bytes += memory(l)
		}
	}
	s.Memory = ceil(bytes, mebi)
}

// own is what the task definition gives a container, as its metadata says.
func (t *task) own(c inventory.Container) (inventory.ContainerSize, bool) {
	if t.Size == nil {
		return inventory.ContainerSize{}, false
	}
	own, told := t.Size.Containers[c.ID]
	return own, told
}

func (t *task) gpus() (n int64) {
	for _, c := range t.members {
		n += int64(c.Limits.GPUs)
	}
	return n
}

// memory is what ECS counts for one container, in bytes.
func memory(l inventory.Limits) int64 {
	if l.MemoryReservation > 0 {
		return l.MemoryReservation
	}
	return max(0, l.Memory)
}

func ceil(n, by int64) int64 { return (max(0, n) + by - 1) / by }
