package reservation

import (
	"maps"
	"sync"
)

// mostFamilies bounds how many revisions a book remembers: far more than a host
// meets between two restarts of its agent.
const mostFamilies = 1024

// A Book remembers the sizes of tasks: one that has been measured exactly is not
// measured again, and the next of its revision is known before it has a
// container. The zero value is ready, and may be used by several goroutines.
type Book struct {
	mu       sync.Mutex // guards the fields below
	tasks    map[string]size
	families map[string]size
}

// Compute adds up what is reserved.
func (b *Book) Compute(f Facts) Reservation {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.compute(f)
}

// size returns the size of a task, and remembers what is certain.
func (b *Book) size(t *task) size {
	if s, seen := b.tasks[t.ARN]; seen {
		return s
	}
	s := b.measure(t)
	if !t.Listed() || !t.complete() || t.Size == nil || !s.exact() && t.Size.Source != FromMetadata {
		return s
	}
	if b.tasks == nil {
		b.tasks, b.families = map[string]size{}, map[string]size{}
	}
	b.tasks[t.ARN] = s
	if _, seen := b.families[t.Family]; seen || len(b.families) < mostFamilies {
		b.families[t.Family] = s
	}
	return s
}

// forget drops the tasks that are no more.
func (b *Book) forget(now map[string]*task) {
	maps.DeleteFunc(b.tasks, func(arn string, _ size) bool { return now[arn] == nil })
}
