package reservation

import (
	"fmt"
	"strings"

	"github.com/berth-dev/berth/collectors/inventory"
)

// whyTask says in one sentence how a task's figures were found.
func whyTask(members []inventory.Container) string {
	if len(members) == 0 {
		return "only its pause container exists yet, so its size is not known"
	}
	parts := make([]string, 0, len(members))
	for _, c := range members {
		parts = append(parts, whyContainer(c))
	}
	if len(parts) == 1 {
		return "one container: " + parts[0]
	}
	return fmt.Sprintf("sum of %d containers: %s", len(parts), strings.Join(parts, "; "))
}

// whyContainer names what one container adds and where that is set.
func whyContainer(c inventory.Container) string {
	name := c.Name
	if !c.State.Up() {
		name += " (" + string(c.State) + ")"
	}
	if !known(c) {
		return name + " not inspected yet"
	}
	cpu := fmt.Sprintf("%d units", c.Limits.CPUShares)
	if c.Limits.CPUShares == leastShares {
		cpu = "0 to 2 units, counted as 2"
	}
	switch l := c.Limits; {
	case l.MemoryReservation > 0:
		return fmt.Sprintf("%s %s, %d MiB by its soft limit", name, cpu, ceil(l.MemoryReservation, mebi))
	case l.Memory > 0:
		return fmt.Sprintf("%s %s, %d MiB by its hard limit", name, cpu, ceil(l.Memory, mebi))
	default:
		return fmt.Sprintf("%s %s, no memory limit", name, cpu)
	}
}

// explain collects the reasons why the sums may be wrong.
func (r *Reservation) explain(capacity Capacity, clipped bool) {
	r.note(capacity.CPUs == 0 || capacity.Memory == 0, "the Engine has not told how many CPUs and how much memory there are")
	r.note(true, "Docker does not tell the size of a whole task, which takes precedence over the sum of its containers")
	r.note(true, "tasks that have no container yet, or none left, are not seen")
	r.note(r.Unknown > 0, "%d of %d tasks have a container that is not inspected yet or does not exist yet", r.Unknown, r.Tasks)
	r.note(r.ErrCPU > 0, "2 CPU shares stand for 0, 1 or 2 units: CPU may be up to %d units too high", r.ErrCPU)
	r.note(clipped, "%d CPU shares are the most that Docker knows and may stand for more", mostShares)
}

func (r *Reservation) note(holds bool, format string, args ...any) {
	if holds {
		r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
	}
}
