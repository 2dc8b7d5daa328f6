package logs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/berth-dev/berth/collectors/inventory"
)

// The living are who either witness knows (J3), by each of the names that a
// folder of theirs can have: the whole ID and its first 12 digits.
type living struct {
	listed  map[string]inventory.State
	running map[string]running
}

// A running container has a process.
type running struct {
	container inventory.ID
	pid       int // one of them
}

func (f Facts) living() living {
	l := living{
		listed:  make(map[string]inventory.State, 2*len(f.Listed)),
		running: make(map[string]running, 2*len(f.Processes)),
	}
	for _, c := range f.Listed {
		l.listed[string(c.ID)], l.listed[c.ID.Short()] = c.State, c.State
	}
	for _, id := range slices.Sorted(maps.Keys(f.Processes)) {
		r := running{id, f.Processes[id]}
		l.running[string(id)], l.running[id.Short()] = r, r
	}
	return l
}

// why returns why the container that a folder is named by is alive; empty: it
// is not.
func (l living) why(name string) string {
	if state, ok := l.listed[name]; ok {
		return fmt.Sprintf("its container is %s after all", state)
	}
	if r, ok := l.running[name]; ok {
		return fmt.Sprintf("process %d runs in its container %s", r.pid, r.container.Short())
	}
	return ""
}
