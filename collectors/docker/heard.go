package docker

import (
	"sync"
	"time"
)

const (
	// overlap is how far an Engine's events may come out of order: it stamps one
	// before it sends it, and a busy one sends another in between.
	overlap = 10 * time.Second

	// remembered are the events that are known by themselves: twice as many as
	// the Engine would repeat.
	remembered = 512
)

// Heard is which events have been heard, over connections and over watchers.
// After each gap the Engine is asked for those of the last seconds once more,
// because one that was stamped earlier may have come later, or not yet; those
// that are known are passed over. The zero value has heard nothing.
type Heard struct {
	mu     sync.Mutex // guards the fields below
	newest time.Time
	known  map[Event]bool
	order  []Event // of known, oldest first
}

// Since is from when on events have to be asked for; zero if none was heard.
func (h *Heard) Since() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.newest.IsZero() {
		return time.Time{}
	}
	return h.newest.Add(-overlap)
}

// add reports whether an event is new, and remembers it.
func (h *Heard) add(e Event) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known[e] {
		return false
	}
	if h.known == nil {
		h.known = map[Event]bool{}
	}
	if len(h.order) == remembered {
		delete(h.known, h.order[0])
		h.order = h.order[:copy(h.order, h.order[1:])]
	}
	h.known[e], h.order = true, append(h.order, e)
	if e.At.After(h.newest) {
		h.newest = e.At
	}
	return true
}
