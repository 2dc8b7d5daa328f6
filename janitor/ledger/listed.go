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
		l.note([]record{{Op: opSeen, ID: id, Service: service, At: at.UTC()}})
	}
}

// Removed notes a container that Docker says it has destroyed. It is gone once
// a listing agrees.
func (l *Ledger) Removed(id inventory.ID, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if !id.Valid() || e != nil && !e.Event.IsZero() {
		return
	}
	records := []record{{Op: opEvent, ID: id, At: at.UTC()}}
	switch {
	case e == nil: // its create event was missed; a listing on its way may still name it
		records = append([]record{{Op: opSeen, ID: id, At: at.UTC()}}, records...)
	case !e.Missing.IsZero():
		records = append(records, record{Op: opGone, ID: id, At: at.UTC(), How: Removed})
	}
	l.note(records)
}

// Listed notes who a complete listing names and who it does not. A listing of
// another data root says nothing of the containers of this one.
func (l *Ledger) Listed(listing inventory.Listing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var records []record
	if l.root == "" {
		records = append(records, record{Op: opRoot, Root: listing.Engine.RootDir})
	} else if l.root != listing.Engine.RootDir {
		return
	}
	at := listing.Taken.UTC()
	if at.Before(l.listed) {
		return // an older picture than the one we have
	}
	l.listed = at
	if at.After(l.newest) {
		l.newest = at
	}
	present := make(map[inventory.ID]bool, len(listing.Containers))
	for _, c := range listing.Containers {
		present[c.ID] = true
		records = append(records, l.present(c, at)...)
	}
	l.note(append(records, l.absent(present, at)...))
}

// refuted is how long after its destroy event a container must still be listed
// for the event not to count.
const refuted = time.Second

// present returns what to note of a container that was listed.
func (l *Ledger) present(c inventory.Container, at time.Time) []record {
	e := l.entries[c.ID]
	switch {
	case e == nil:
		return []record{{Op: opSeen, ID: c.ID, Service: c.Service, At: at}}
	case e.Missing.IsZero() && (e.Event.IsZero() || at.Sub(e.Event) < refuted):
		return nil
	}
	if e.Event.IsZero() {
		l.short++
	}
	return []record{{Op: opBack, ID: c.ID}}
}

// absent returns what to note of the containers that were not listed.
func (l *Ledger) absent(present map[inventory.ID]bool, at time.Time) []record {
	need := l.need(present)
	var records []record
	for id, e := range l.entries {
		if present[id] || !e.Gone.IsZero() || e.Seen.After(at) {
			continue // there, known to be gone, or created after the listing was asked for
		}
		missing := e.Missing
		if missing.IsZero() {
			missing = at
			records = append(records, record{Op: opMissing, ID: id, At: at})
		}
		switch {
		case !e.Event.IsZero():
			records = append(records, record{Op: opGone, ID: id, At: e.Event, How: Removed})
		case at.Sub(missing) >= need:
			records = append(records, record{Op: opGone, ID: id, At: missing, How: Vanished})
		}
	}
	return records
}

// need is how long an unexplained absence must last before it is believed.
func (l *Ledger) need(present map[inventory.ID]bool) time.Duration {
	unexplained := 0
	for id, e := range l.entries {
		if !present[id] && e.unexplained() {
			unexplained++
		}
	}
	if unexplained >= massCount && float64(unexplained) > massShare*float64(unexplained+len(present)) {
		return cmp.Or(l.mass, massConfirm)
	}
	return confirm
}
