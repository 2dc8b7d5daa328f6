package ledger

import (
	"cmp"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// Created notes a container that Docker says it has created.
func (l *Ledger) Created(id inventory.ID, service string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id.Valid() && l.entries[id] == nil {
		l.note(record{Op: opSeen, ID: id, Service: service, At: at.UTC()})
	}
}

// refuted is how long after its destroy event a container must still be listed
// for the event not to count.
const refuted = time.Second

// Removed notes a container that Docker says it has destroyed. It is gone once
// a listing agrees. Where a listing that was asked for later has named it, the
// event does not count.
func (l *Ledger) Removed(id inventory.ID, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if !id.Valid() || l.listed[id].Sub(at) >= refuted || e != nil && !(e.Event.IsZero() && e.Gone.IsZero()) {
		return
	}
	records := []record{{Op: opEvent, ID: id, At: at.UTC()}}
	switch {
	case e == nil: // its create event was missed; a listing on its way may still name it
		records = append([]record{{Op: opSeen, ID: id, At: at.UTC()}}, records...)
	case !e.Missing.IsZero():
		records = append(records, record{Op: opGone, ID: id, At: at.UTC(), How: Removed})
	}
	l.note(records...)
}

// Listed notes who a complete listing names and who it does not. A listing of
// another data root says nothing of the containers of this one, and one that
// was about some containers says of the others only that nobody has told of
// their end: that is no word against a destroy event that is on its way.
func (l *Ledger) Listed(listing inventory.Listing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.root == "" {
		l.note(record{Op: opRoot, Root: listing.Engine.RootDir})
	} else if l.root != listing.Engine.RootDir {
		return
	}
	at := listing.Taken.UTC()
	if wall(l.newest).Sub(wall(at)) > skew {
		l.note(record{Op: opClock, At: at})
	}
	if at.Before(l.last) {
		return // an older picture than the one we have
	}
	l.last = at
	var records []record
	present := make(map[inventory.ID]bool, len(listing.Containers))
	for _, c := range listing.Containers {
		present[c.ID] = true
		if listing.About(c.ID) {
			records = append(records, l.present(c, at)...)
		}
	}
	l.note(append(records, l.absent(present, at)...)...)
	if wall(at).After(wall(l.newest)) {
		l.newest = at
	}
}

// present returns what to note of a container that was listed.
func (l *Ledger) present(c inventory.Container, at time.Time) []record {
	e := l.entries[c.ID]
	l.listed[c.ID] = at
	switch {
	case e == nil:
		return []record{{Op: opSeen, ID: c.ID, Service: c.Service, At: at}}
	case !e.Missing.IsZero():
		if e.Event.IsZero() {
			l.short++
		}
		return []record{{Op: opBack, ID: c.ID}}
	case !e.Event.IsZero() && at.Sub(e.Event) >= refuted:
		return []record{{Op: opBack, ID: c.ID}}
	}
	return nil
}

// absent returns what to note of the containers that were not listed, and
// could have been.
func (l *Ledger) absent(present map[inventory.ID]bool, at time.Time) []record {
	var gone []*Entry
	for id, e := range l.open {
		if !present[id] && !e.Seen.After(at) {
			gone = append(gone, e)
			delete(l.listed, id)
		}
	}
	many := l.many(gone, len(present), at)
	var records []record
	for _, e := range gone {
		missing := record{Op: opMissing, ID: e.ID, At: e.Missing, Many: e.Many || many && e.recent(at)}
		if e.Missing.IsZero() {
			missing.At = at
		}
		if e.Missing.IsZero() || missing.Many != e.Many {
			records = append(records, missing)
		}
		switch {
		case !e.Event.IsZero():
			records = append(records, record{Op: opGone, ID: e.ID, At: e.Event, How: Removed})
		case at.Sub(missing.At) >= l.need(missing.Many):
			records = append(records, record{Op: opGone, ID: e.ID, At: missing.At, How: Vanished})
		}
	}
	return records
}

// need is how long an unexplained absence must last before it is believed.
func (l *Ledger) need(many bool) time.Duration {
	if many {
		return cmp.Or(l.mass, massConfirm)
	}
	return confirm
}

// many reports whether a suspicious number has vanished of late.
func (l *Ledger) many(gone []*Entry, present int, at time.Time) bool {
	vanished := 0
	for _, e := range gone {
		if e.recent(at) {
			vanished++
		}
	}
	return vanished >= massCount && float64(vanished) > massShare*float64(vanished+present)
}

// recent reports whether a container that a listing lacks has vanished without
// a word, and not longer before than it takes to believe that.
func (e Entry) recent(at time.Time) bool {
	return e.Event.IsZero() && (e.Missing.IsZero() || at.Sub(e.Missing) < confirm)
}
