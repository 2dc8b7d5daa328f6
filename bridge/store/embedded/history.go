package embedded

import "github.com/berth-dev/berth/bridge/store"

// kept is how many events a watcher can fall behind before it is given the
// whole state instead, which is then the shorter way.
const kept = 256

// A history is the newest events, one per revision.
type history struct {
	rev    store.Rev // of the newest event
	events []store.Event
}

// next returns the revision of the event that is about to be added.
func (h *history) next() store.Rev { return h.rev + 1 }

// add appends the event of the next revision.
func (h *history) add(e store.Event) {
	h.rev++
	if len(h.events) == kept {
		h.events = append(h.events[:0], h.events[kept/2:]...)
	}
	h.events = append(h.events, e)
}

// floor is the oldest revision from which the history is complete.
func (h *history) floor() store.Rev { return h.rev - store.Rev(len(h.events)) }

// since returns the events after a revision that is not below the floor.
func (h *history) since(rev store.Rev) []store.Event { return h.events[rev-h.floor():] }
