package remote

import (
	"context"
	"sync"

	"github.com/berth-dev/berth/bridge/store"
)

// An Inbox holds what a watcher has not taken yet. It is never larger than the
// cluster: a host's older event gives way to its newer, and everything to a
// Resync. What is handed over is in the order of its revisions.
type Inbox struct {
	mu     sync.Mutex // guards the fields below
	events []store.Event
	at     map[store.Key]int // where a host's event is in events
	first  int               // index of the first that was not taken
	more   chan struct{}     // holds one token while there may be events
}

// NewInbox returns an empty inbox.
func NewInbox() *Inbox {
	return &Inbox{at: map[store.Key]int{}, more: make(chan struct{}, 1)}
}

// Add takes an event in and waits for nobody.
func (b *Inbox) Add(e store.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Kind == store.Resync {
		clear(b.events)
		b.events, b.first = b.events[:0], 0
		clear(b.at)
	} else {
		if i, there := b.at[e.Entry.Key]; there {
			b.events[i] = store.Event{}
		}
		b.at[e.Entry.Key] = len(b.events)
	}
	b.events = append(b.events, e)
	if len(b.events) > 64+2*len(b.at) {
		b.tidy()
	}
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// tidy removes what was taken or overtaken. mu is held.
func (b *Inbox) tidy() {
	kept := b.events[:0]
	for _, e := range b.events {
		if e.Kind == 0 {
			continue
		}
		if e.Kind != store.Resync {
			b.at[e.Entry.Key] = len(kept)
		}
		kept = append(kept, e)
	}
	clear(b.events[len(kept):])
	b.events, b.first = kept, 0
}

// take returns the first event.
func (b *Inbox) take() (store.Event, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.first < len(b.events) {
		e := b.events[b.first]
		b.events[b.first] = store.Event{}
		b.first++
		if e.Kind == 0 {
			continue // it was overtaken
		}
		if e.Kind != store.Resync {
			delete(b.at, e.Entry.Key)
		}
		return e, true
	}
	b.events, b.first = b.events[:0], 0
	return store.Event{}, false
}

// Deliver hands the events over until ctx ends.
func (b *Inbox) Deliver(ctx context.Context, to chan<- store.Event) {
	for {
		e, there := b.take()
		if !there {
			select {
			case <-ctx.Done():
				return
			case <-b.more:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case to <- e:
		}
	}
}
