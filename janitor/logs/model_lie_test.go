package logs_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A lie is what Docker or the process table answers instead of the truth.
type lie int

const (
	truth lie = iota
	anError
	aDeadline
	anotherRoot
	aRestart
	aShortList
	anEmptyList
	noProcesses
	lies
)

// lie changes an answer and reports whether it is still the truth.
func (m *model) lie(kind lie, l *inventory.Listing) (good bool, err error) {
	m.showProcesses()
	switch kind {
	case noProcesses:
		m.must(os.Rename(m.abs("proc"), m.abs("proc.away")))
		return false, nil
	case anError:
		return false, errors.New("500")
	case aDeadline:
		return false, context.DeadlineExceeded
	case anotherRoot:
		if m.ledger.View().Root == "" {
			return true, nil // nobody could tell
		}
		l.Engine.RootDir, l.Containers = "/elsewhere", nil
		return false, nil
	case aRestart:
		l.Engine.Started = l.Taken
		m.conceal(l, 2)
		return false, nil
	case aShortList:
		return !m.conceal(l, 2), nil
	case anEmptyList:
		return !m.conceal(l, 1), nil
	}
	return true, nil
}

func (a *act) lieAt(look int) lie {
	if a.lie == truth || look < a.from || a.once && look > a.from {
		return truth
	}
	return a.lie
}

// showProcesses ends what noProcesses did.
func (m *model) showProcesses() {
	if exists(m.abs("proc.away")) {
		m.must(os.Rename(m.abs("proc.away"), m.abs("proc")))
	}
}

// conceal leaves one in n containers out of a listing, and reports whether it
// left any out. What nobody could tell from the truth is not tried: a container
// that was never listed before; one of which a destroy event was sent; one
// without a process that stays away for as long as an absence must last.
func (m *model) conceal(l *inventory.Listing, n int) (some bool) {
	entries := m.ledger.View().Entries
	l.Containers = slices.DeleteFunc(l.Containers, func(c inventory.Container) bool {
		e := entries[c.ID]
		missed := !e.Gone.IsZero() || !e.Missing.IsZero() && l.Taken.Sub(e.Missing) > 9*time.Minute
		if e.ID == "" || !e.Event.IsZero() || missed && m.containers[c.ID].pid == 0 || !m.one(n) {
			return false
		}
		some = some || !missed && !e.Seen.After(l.Taken) // else it is not known to be there
		return true
	})
	return some
}

// appear brings a dead container back before the look that the act says: one
// whose folder has just been taken away, if there is any.
func (m *model) appear() {
	if a := m.act; a.appear != a.looks || a.appear == 0 {
		return
	}
	away := map[string]bool{} // whose folders are in the yard now
	for _, f := range m.order {
		away[f.path] = away[f.path] || m.ino(f.path) != f.ino
	}
	c, ok := m.some(func(c *container) bool { return !c.lives() && away[c.path] })
	if !ok {
		c, ok = m.some(func(c *container) bool { return !c.lives() })
	}
	if ok {
		if c.since, c.odd = m.act.looks, true; m.one(2) {
			c.listed, c.state = true, inventory.Exited
		} else {
			m.up(c)
		}
	}
}
