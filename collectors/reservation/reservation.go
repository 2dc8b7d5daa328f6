package reservation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/berth-dev/berth/collectors/inventory"
)

// Source is where the sizes come from.
const Source = "docker"

const (
	unitsPerCPU = 1024
	mebi        = 1 << 20
	leastShares = 2      // what Docker makes of 0 and 1
	mostShares  = 262144 // what Docker makes of anything more
)

// A Capacity is what the host has.
type Capacity struct {
	CPUs           int
	Memory         int64 // bytes
	ReservedMemory int64 // MiB kept from ECS: ECS_RESERVED_MEMORY
}

// A Reservation is what a host has registered and what of it is taken.
type Reservation struct {
	CPU     Vector // units, 1024 to a core
	Memory  Vector // MiB
	Tasks   int    // ECS tasks counted
	Unknown int    // of these, the ones of which some container's limits are not known yet
	ErrCPU  int64  // CPU units by which CPU.Reserved may be too high
	Exact   bool   // false: see Notes
	Source  string
	Shares  []Share  // tasks by ARN, then containers outside ECS by ID
	Notes   []string // why it is not exact
}

// A Vector is one resource.
type Vector struct {
	Registered int64 // what the ECS agent tells the control plane that there is
	Reserved   int64 // by ECS tasks
	Unmanaged  int64 // by the limits of containers that ECS does not know
}

// A Share is what one task, or one container outside ECS, adds.
type Share struct {
	Task       string // ARN; empty outside ECS
	Service    string
	Containers []string // names, sorted
	CPU        int64
	Memory     int64
	Why        string // how the figures were found
}

// Compute adds up what the containers have reserved.
func Compute(containers []inventory.Container, capacity Capacity) Reservation {
	r := Reservation{Source: Source}
	r.CPU.Registered = int64(capacity.CPUs) * unitsPerCPU
	r.Memory.Registered = max(0, capacity.Memory/mebi-capacity.ReservedMemory)
	all := tasks(containers)
	for _, arn := range slices.Sorted(maps.Keys(all)) {
		r.addTask(all[arn])
	}
	for _, c := range containers {
		if c.Task == "" && c.State.Up() {
			r.addUnmanaged(c)
		}
	}
	r.explain(capacity, slices.ContainsFunc(containers, clipped))
	return r
}

// tasks groups the containers of every task that lives, in the order of their
// names. A pause container that is up keeps its task alive, as it does for the
// ECS agent, which ends it last.
func tasks(containers []inventory.Container) map[string][]inventory.Container {
	all, lives := map[string][]inventory.Container{}, map[string]bool{}
	for _, c := range containers {
		if c.Task == "" {
			continue
		}
		all[c.Task] = append(all[c.Task], c)
		lives[c.Task] = lives[c.Task] || c.State.Up() || c.State == inventory.Created
	}
	maps.DeleteFunc(all, func(task string, _ []inventory.Container) bool { return !lives[task] })
	for _, members := range all {
		slices.SortFunc(members, func(a, b inventory.Container) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
		})
	}
	return all
}

// addTask adds one task.
func (r *Reservation) addTask(members []inventory.Container) {
	s := Share{Task: members[0].Task, Service: members[0].Service}
	members = slices.DeleteFunc(members, inventory.Container.Pause)
	unknown := len(members) == 0
	var bytes int64
	for _, c := range members {
		s.Containers = append(s.Containers, c.Name)
		s.CPU += max(0, c.Limits.CPUShares)
		bytes += memory(c.Limits)
		unknown = unknown || !known(c)
		if c.Limits.CPUShares == leastShares {
			r.ErrCPU += leastShares
		}
	}
	s.Memory = ceil(bytes, mebi)
	s.Why = whyTask(members)
	if unknown {
		r.Unknown++
	}
	r.Tasks++
	r.CPU.Reserved += s.CPU
	r.Memory.Reserved += s.Memory
	r.Shares = append(r.Shares, s)
}

// known reports whether a task's container has been inspected: ECS sets at
// least the least CPU shares on each.
func known(c inventory.Container) bool { return c.Limits.CPUShares > 0 }

// clipped reports whether a task's container has as many CPU shares as Docker
// can express.
func clipped(c inventory.Container) bool { return c.Task != "" && c.Limits.CPUShares >= mostShares }

// addUnmanaged adds a container that ECS does not know: only a limit keeps
// anything from others, and shares are no limit.
func (r *Reservation) addUnmanaged(c inventory.Container) {
	s := Share{Service: c.Service, Containers: []string{c.Name}}
	s.CPU, s.Why = limitedCPU(c.Limits)
	s.Memory = ceil(c.Limits.Memory, mebi)
	if s.Memory > 0 {
		s.Why += fmt.Sprintf(", %d MiB by its memory limit", s.Memory)
	} else {
		s.Why += ", no memory limit"
	}
	r.CPU.Unmanaged += s.CPU
	r.Memory.Unmanaged += s.Memory
	r.Shares = append(r.Shares, s)
}

// memory is what ECS counts for one container, in bytes.
func memory(l inventory.Limits) int64 {
	if l.MemoryReservation > 0 {
		return l.MemoryReservation
	}
	return max(0, l.Memory)
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

func ceil(n, by int64) int64 { return (max(0, n) + by - 1) / by }
