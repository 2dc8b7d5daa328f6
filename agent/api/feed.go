package api

import (
	"context"
	"iter"
	"sync"
	"time"
)

// kept is how many events a [Feed] remembers.
const kept = 1024

// The types of the events that a stream makes itself.
const (
	heartbeat = "heartbeat"
	dropped   = "dropped"
)

// A Feed remembers the newest 1024 events and hands them to any number of
// readers. The zero value is ready. Publishing never waits for a reader: one
// that falls behind, or comes late, is told how many events it missed.
type Feed struct {
	mu      sync.Mutex
	ring    []Event       // event n is at n % kept
	seq     uint64        // of the newest event; 0: none yet
	changed chan struct{} // closed by the next Publish; nil while nobody waits
}

// Publish appends an event and sets its Seq, from 1, and its Time unless it
// has one: an event that Docker stamped keeps that stamp.
func (f *Feed) Publish(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ring == nil {
		f.ring = make([]Event, kept)
	}
	f.seq++
	e.Seq = f.seq
	if e.Time.IsZero() {
		e.Time = time.Now().UTC()
	}
	f.ring[f.seq%kept] = e
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// Follow yields the events after sequence number since, oldest first, and
// ends at the present or, if follow is set, once ctx ends. Events that are no
// longer remembered are counted in one event of type dropped. A since from
// the future is one of an earlier daemon's numbers: all that is remembered is
// then new to the reader.
func (f *Feed) Follow(ctx context.Context, since uint64, follow bool) iter.Seq[Event] {
	return f.stream(ctx, since, follow, 0)
}

// stream is Follow with an event of type heartbeat after each silence as long
// as beat. With beat 0 there are none, and no timer.
func (f *Feed) stream(ctx context.Context, since uint64, follow bool, beat time.Duration) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		at := f.start(since)
		for ctx.Err() == nil {
			batch, changed := f.after(at)
			for _, e := range batch {
				if ctx.Err() != nil || !yield(e) {
					return
				}
				at = e.Seq
			}
			if len(batch) > 0 {
				continue
			}
			if !follow {
				return
			}
			if silent(ctx, changed, beat) && !yield(Event{Type: heartbeat, Seq: at, Time: time.Now().UTC()}) {
				return
			}
		}
	}
}

// start is the sequence number after which a reader that has seen since reads on.
func (f *Feed) start(since uint64) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if since > f.seq {
		return 0
	}
	return since
}

// batchSize bounds how many events are copied under the lock at once.
const batchSize = 64

// after returns some of the events after sequence number at, led by one of
// type dropped if there is a gap. If there are none it returns what is closed
// when there are.
func (f *Feed) after(at uint64) ([]Event, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at >= f.seq {
		if f.changed == nil {
			f.changed = make(chan struct{})
		}
		return nil, f.changed
	}
	var batch []Event
	if lost := f.seq - min(f.seq, kept); at < lost {
		batch = append(batch, Event{Type: dropped, Seq: lost, Time: time.Now().UTC(), Dropped: lost - at})
		at = lost
	}
	for n := at + 1; n <= f.seq && len(batch) < batchSize; n++ {
		batch = append(batch, f.ring[n%kept])
	}
	return batch, nil
}

// silent waits for a change and reports whether a whole beat passed without.
func silent(ctx context.Context, changed <-chan struct{}, beat time.Duration) bool {
	var end <-chan time.Time
	if beat > 0 {
		timer := time.NewTimer(beat)
		defer timer.Stop()
		end = timer.C
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-end:
		return true
	}
	return false
}
