package reservation

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A Share is what one task, or one container outside ECS, adds. Tasks come
// first, by ARN, then containers by ID.
type Share struct {
	Task       string // ARN; empty outside ECS
	Service    string
	ECSService string   // as ECS names it; empty: none, or not known
	Family     string   // task definition family and revision
	Status     string   // counted, pending, stopping or unmanaged
	Containers []string // names, sorted
	CPU        int64
	Memory     int64
	GPU        int64
	Ports      []Port // host ports that it demands
	Exact      bool
	Unknown    bool   // the figures lack something
	Why        string // how the figures were found
}

// A sum is a reservation on its way.
type sum struct {
	*Reservation
	doubts  map[string]int // how many tasks each is about
	sources map[string]bool
}

// addTask adds one task.
func (s *sum) addTask(t *task, b *Book) {
	is := b.size(t)
	share := Share{
		Task: t.ARN, Service: cmp.Or(t.service, family(t.Family)), ECSService: t.Service, Family: t.Family, Status: t.status,
		CPU: is.CPU, Memory: is.Memory, GPU: is.GPU, Ports: is.Ports, Exact: is.exact() && t.Listed(), Unknown: is.unknown, Why: is.why,
	}
	for _, c := range t.members {
		share.Containers = append(share.Containers, c.Name)
	}
	if t.status == Unmanaged {
		share.Why = "the ECS agent does not list it, so ECS does not count it: " + share.Why
		s.addUnmanaged(share)
		return
	}
	s.learn(is)
	s.count(share, is)
	s.Shares = append(s.Shares, share)
}

// learn collects what the notes are about.
func (s *sum) learn(is size) {
	for _, source := range is.sources {
		s.sources[source] = true
	}
	for _, doubt := range slices.Compact(slices.Sorted(slices.Values(is.doubts))) {
		s.doubts[doubt]++
	}
	if is.unknown {
		s.Unknown++
	}
	s.ErrCPU += is.ErrCPU
}

// count adds a task to the vectors.
func (s *sum) count(share Share, is size) {
	s.Tasks++
	s.CPU.Reserved += is.CPU
	s.Memory.Reserved += is.Memory
	s.GPU.Reserved += is.GPU
	s.Ports = append(s.Ports, is.Ports...)
	switch share.Status {
	case Stopping:
		s.Stopping++
		return
	case Pending:
		s.Pending++
	}
	s.CPU.Scheduled += is.CPU
	s.Memory.Scheduled += is.Memory
	s.GPU.Scheduled += is.GPU
}

// addUnmanaged adds what ECS does not count.
func (s *sum) addUnmanaged(share Share) {
	s.CPU.Unmanaged += share.CPU
	s.Memory.Unmanaged += share.Memory
	s.GPU.Unmanaged += share.GPU
	s.Shares = append(s.Shares, share)
}

// family is a task definition's family without its revision.
func family(revision string) string {
	for i := len(revision) - 1; i >= 0; i-- {
		if revision[i] == ':' {
			return revision[:i]
		}
	}
	return revision
}

// unmanaged is the share of a container that ECS does not know: only a limit
// keeps anything from others, and shares are no limit.
func unmanaged(c inventory.Container) Share {
	s := Share{Service: c.Service, Status: Unmanaged, Containers: []string{c.Name}, GPU: int64(c.Limits.GPUs)}
	s.CPU, s.Why = limitedCPU(c.Limits)
	s.Memory = ceil(c.Limits.Memory, mebi)
	if s.Memory > 0 {
		s.Why += fmt.Sprintf(", %d MiB by its memory limit", s.Memory)
	} else {
		s.Why += ", no memory limit"
	}
	return s
}

// limitedCPU turns a CPU limit into units and says which it is.
func limitedCPU(l inventory.Limits) (units int64, why string) {
	const (
		period = 100_000 // Docker's default, microseconds
		most   = 1 << 50 // so that no product overflows
	)
	switch {
	case l.NanoCPUs > 0:
		units = ceil(min(l.NanoCPUs, most)*unitsPerCPU, 1e9)
	case l.CPUQuota > 0:
		units = ceil(min(l.CPUQuota, most)*unitsPerCPU, cmp.Or(max(0, l.CPUPeriod), period))
	default:
		return 0, "outside ECS: no CPU limit"
	}
	return units, fmt.Sprintf("outside ECS: %d units by its CPU limit", units)
}
