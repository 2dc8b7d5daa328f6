package reservation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

const (
	unitsPerCPU = 1024
	mebi        = 1 << 20
)

// A Capacity is what the host has.
type Capacity struct {
	CPUs           int
	Memory         int64 // bytes
	ReservedMemory int64 // MiB kept from ECS: ECS_RESERVED_MEMORY
	GPUs           int   // that the ECS agent may pin
}

// Facts are what a reservation is computed from.
type Facts struct {
	Containers []inventory.Container
	Tasks      inventory.Tasks
	Capacity   Capacity
}

// A Reservation is what a host has registered and what of it is taken.
type Reservation struct {
	CPU      Vector // units, 1024 to a core
	Memory   Vector // MiB
	GPU      Vector // whole GPUs
	Ports    []Port // host ports that tasks demand, sorted
	Tasks    int    // ECS tasks counted
	Pending  int    // of these, not running yet
	Stopping int    // of these, on their way out: Reserved and not Scheduled
	Unknown  int    // of these, the ones of which no size, or not all of it, is known
	ErrCPU   int64  // CPU units by which CPU.Reserved may be too high
	Exact    bool   // false: see Notes
	Source   string // where the figures come from, best first, joined by +
	Shares   []Share
	Shapes   []Shape
	Notes    []string // why it is not exact
}

// A Vector is one resource.
type Vector struct {
	Registered int64 // what the ECS agent tells the control plane that there is
	Reserved   int64 // by ECS tasks, until they have stopped
	Scheduled  int64 // by ECS tasks that are not to stop
	Unmanaged  int64 // by containers that ECS does not count
}

// A Port is a port of the host that a task demands for itself.
type Port struct {
	Number   uint16
	Protocol string
}

// String is as Docker writes it: "8080/tcp".
func (p Port) String() string { return fmt.Sprintf("%d/%s", p.Number, p.Protocol) }

// Compute adds up what is reserved, without a memory of sizes.
func Compute(f Facts) Reservation { return new(Book).Compute(f) }

// compute is Compute with what the book remembers. The book learns from it.
func (b *Book) compute(f Facts) Reservation {
	r := Reservation{}
	r.CPU.Registered = int64(f.Capacity.CPUs) * unitsPerCPU
	r.Memory.Registered = max(0, f.Capacity.Memory/mebi-f.Capacity.ReservedMemory)
	r.GPU.Registered = int64(f.Capacity.GPUs)
	s := sum{Reservation: &r, doubts: map[string]int{}, sources: map[string]bool{}}
	all := gather(f)
	b.forget(all)
	for _, arn := range slices.Sorted(maps.Keys(all)) {
		s.addTask(all[arn], b)
	}
	for _, c := range f.Containers {
		if c.Task == "" && c.State.Up() {
			s.addUnmanaged(unmanaged(c))
		}
	}
	s.finish(f)
	return r
}

// gather joins what the ECS agent and Docker tell of each task that counts.
func gather(f Facts) map[string]*task {
	all := map[string]*task{}
	for _, t := range f.Tasks.All {
		all[t.ARN] = &task{Task: t}
		if t.Known == inventory.TaskStopped {
			all[t.ARN] = nil // its containers do not bring it back
		}
	}
	for _, c := range f.Containers {
		if c.Task == "" {
			continue
		}
		t, seen := all[c.Task]
		if !seen {
			t = &task{Task: inventory.Task{ARN: c.Task}}
			all[c.Task] = t
		}
		if t != nil {
			t.add(c)
		}
	}
	maps.DeleteFunc(all, func(_ string, t *task) bool { return t == nil || !t.Listed() && !t.lives })
	for _, t := range all {
		t.settle(f.Tasks)
	}
	return all
}

// fresh reports whether a list that is current would name a task of which a
// container was created then: the agent knows a task before it makes any. The
// Engine's list knows whole seconds.
func fresh(tasks inventory.Tasks, created time.Time) bool {
	return !tasks.Taken.IsZero() && tasks.Fault == "" && created.Add(time.Second).Before(tasks.Taken)
}
