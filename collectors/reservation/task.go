package reservation

import (
	"cmp"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// How a [Share] counts.
const (
	Counted   = "counted"
	Pending   = "pending"   // counted, not running yet
	Stopping  = "stopping"  // counted until it has stopped
	Unmanaged = "unmanaged" // not counted by ECS
)

// A task is what is known of one task together.
type task struct {
	inventory.Task
	members []inventory.Container // by name, without pause containers
	pauses  []inventory.Container
	lives   bool      // a container of it is up or about to be started
	newest  time.Time // when its newest container was created
	status  string
	service string // as its containers name it
	awsvpc  bool
}

// add takes in one of its containers. A pause container that is up keeps its
// task alive, as it does for the ECS agent, which ends it last.
func (t *task) add(c inventory.Container) {
	t.lives = t.lives || c.State.Up() || c.State == inventory.Created
	t.service = cmp.Or(c.Service, t.service)
	t.Family = cmp.Or(t.Family, c.Family)
	if c.Created.After(t.newest) {
		t.newest = c.Created
	}
	if c.Pause() {
		t.pauses = append(t.pauses, c)
		t.awsvpc = t.awsvpc || c.Holds() == "" && c.NetworkMode == "none"
		return
	}
	t.members = append(t.members, c)
}

// settle says how the task counts, once all that is known of it is together.
func (t *task) settle(tasks inventory.Tasks) {
	slices.SortFunc(t.members, func(a, b inventory.Container) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	t.awsvpc = t.awsvpc || t.Size != nil && len(t.Size.Addresses) > 0
	switch {
	case !t.Listed() && fresh(tasks, t.newest):
		t.status = Unmanaged
	case t.Desired == inventory.TaskStopped:
		t.status = Stopping
	case t.Listed() && t.Known != inventory.TaskRunning:
		t.status = Pending
	default:
		t.status = Counted
	}
}

// complete reports whether all containers that the task will have are there and
// inspected. That of a task that is not listed nobody can tell, so what there is
// counts.
func (t *task) complete() bool {
	started := !t.Listed() || t.Known == inventory.TaskRunning
	return started && len(t.members) > 0 && !slices.ContainsFunc(t.members, func(c inventory.Container) bool { return !known(c) })
}

// known reports whether a task's container has been inspected: ECS sets at
// least the least CPU shares on each.
func known(c inventory.Container) bool { return c.Limits.CPUShares > 0 }

// ports are the host ports that the task demands. In bridge mode with ECS
// Service Connect they are its pause containers'; in awsvpc mode they are not
// the host's.
func (t *task) ports() []Port {
	if t.awsvpc {
		return nil
	}
	var all []Port
	for _, c := range slices.Concat(t.members, t.pauses) {
		for _, p := range c.Declared {
			if p.Host > 0 {
				all = append(all, Port{p.Host, p.Protocol})
			}
		}
	}
	return sortedPorts(all)
}

func sortedPorts(all []Port) []Port {
	slices.SortFunc(all, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Protocol, b.Protocol))
	})
	return slices.Compact(all)
}
