package reservation

import (
	"fmt"
	"strings"

	"github.com/berth-dev/berth/collectors/inventory"
)

// Doubts about the size of a task.
const (
	noTaskSize   = "task size"
	fromRevision = "revision"
	leastCPU     = "least CPU"
	mostCPU      = "most CPU"
	leastMiB     = "least memory"
	laterParts   = "later parts"
)

// why says in one sentence how the task's figures were found.
func (t *task) why(whole inventory.TaskSize) string {
	var parts []string
	if whole.CPU > 0 {
		parts = append(parts, fmt.Sprintf("%d units for the whole task by its %s", whole.CPU, name(whole.Source)))
	}
	if whole.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%d MiB for the whole task by its %s", whole.Memory, name(whole.Source)))
	}
	if whole.CPU > 0 && whole.Memory > 0 {
		return strings.Join(parts, ", ")
	}
	return strings.Join(append(parts, t.whySum(whole)), ", ")
}

// name is what people call a source of whole sizes.
func name(source string) string {
	if source == FromMetadata {
		return "metadata"
	}
	return source
}

// whySum says what the sum over containers is made of.
func (t *task) whySum(whole inventory.TaskSize) string {
	switch {
	case len(t.members) == 0 && len(t.pauses) > 0:
		return "only its pause container exists yet, so its size is not known"
	case len(t.members) == 0:
		return "none of its containers exists yet, so its size is not known"
	}
	parts := make([]string, 0, len(t.members))
	for _, c := range t.members {
		parts = append(parts, whyContainer(c, whole))
	}
	if !t.complete() {
		parts = append(parts, "more may follow")
	}
	if len(t.members) == 1 {
		return "one container: " + strings.Join(parts, "; ")
	}
	return fmt.Sprintf("sum of %d containers: %s", len(t.members), strings.Join(parts, "; "))
}

// whyContainer names what one container adds and where that is set.
func whyContainer(c inventory.Container, whole inventory.TaskSize) string {
	name := c.Name
	if !c.State.Up() {
		name += " (" + string(c.State) + ")"
	}
	if !known(c) {
		return name + " not inspected yet"
	}
	var parts []string
	if whole.CPU == 0 {
		parts = append(parts, whyCPU(c.Limits))
	}
	if whole.Memory == 0 {
		parts = append(parts, whyMemory(c.Limits))
	}
	return name + " " + strings.Join(parts, ", ")
}

func whyCPU(l inventory.Limits) string {
	if l.CPUShares == leastShares {
		return "0 to 2 units, counted as 2"
	}
	return fmt.Sprintf("%d units", l.CPUShares)
}

func whyMemory(l inventory.Limits) string {
	switch {
	case l.MemoryReservation > 0:
		return fmt.Sprintf("%d MiB by its soft limit", ceil(l.MemoryReservation, mebi))
	case l.Memory > 0:
		return fmt.Sprintf("%d MiB by its hard limit", ceil(l.Memory, mebi))
	}
	return "no memory limit"
}

// finish draws the conclusions from all tasks.
func (s *sum) finish(f Facts) {
	s.Ports = sortedPorts(s.Ports)
	var left int
	s.Shapes, left = shapes(s.Shares)
	asked := !f.Tasks.Taken.IsZero()
	s.note(f.Capacity.CPUs == 0 || f.Capacity.Memory == 0, "the Engine has not told how many CPUs and how much memory there are")
	s.note(!asked, "the ECS agent has not answered: tasks that have no container yet, or none left, are not seen")
	s.note(asked && f.Tasks.Fault != "", "the ECS agent's list of tasks is out of date: %s", f.Tasks.Fault)
	s.note(s.Unknown > 0, "%d of %d tasks have a container that is not inspected yet or does not exist yet", s.Unknown, s.Tasks)
	s.noteDoubts()
	s.Exact = len(s.Notes) == 0
	for _, share := range s.Shares {
		s.Exact = s.Exact && (share.Exact || share.Status == Unmanaged)
	}
	s.note(!s.Exact && len(s.Notes) == 0, "a task is so new that the ECS agent has not been asked about it")
	s.note(left > 0, "%d tasks are of shapes beyond the %d most numerous ones, which alone are told apart", left, MostShapes)
	s.Source = s.source(asked)
}

// noteDoubts turns the doubts about tasks into notes.
func (s *sum) noteDoubts() {
	s.note(s.doubts[noTaskSize] > 0, "of %d tasks the size of the whole task is not known, which takes precedence over the sum of its containers", s.doubts[noTaskSize])
	s.note(s.doubts[fromRevision] > 0, "%d tasks are counted as another one of the same revision was, which their overrides may have changed", s.doubts[fromRevision])
	s.note(s.doubts[laterParts] > 0, "%d tasks have containers that do not exist yet and may demand ports and GPUs", s.doubts[laterParts])
	s.note(s.ErrCPU > 0, "2 CPU shares stand for 0, 1 or 2 units: CPU may be up to %d units too high", s.ErrCPU)
	s.note(s.doubts[mostCPU] > 0, "%d CPU shares are the most that Docker knows and may stand for more", mostShares)
	s.note(s.doubts[leastMiB] > 0, "%d MiB are the least that Docker takes as a hard limit and may stand for less", leastMemory/mebi)
}

// source names where the figures come from, best first.
func (s *sum) source(asked bool) string {
	var all []string
	if asked {
		all = append(all, FromAgent)
	}
	for _, name := range []string{FromMetadata, FromCgroup, FromRevision} {
		if s.sources[name] {
			all = append(all, name)
		}
	}
	if s.sources[FromDocker] || len(all) == 0 {
		all = append(all, FromDocker)
	}
	return strings.Join(all, "+")
}

func (s *sum) note(holds bool, format string, args ...any) {
	if holds {
		s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
	}
}
