package logs_test

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// some returns a container for which a condition holds.
func (m *model) some(holds func(*container) bool) (*container, bool) {
	var all []*container
	for _, id := range m.ids {
		if c := m.containers[id]; holds(c) {
			all = append(all, c)
		}
	}
	return pick(m.rand, all)
}

func (m *model) living() (*container, bool) { return m.some((*container).lives) }

// newID makes an ID; one in eight shares its first 12 digits with another.
func (m *model) newID() inventory.ID {
	text := fmt.Sprintf("%016x%016x%016x%016x", m.rand.Uint64(), m.rand.Uint64(), m.rand.Uint64(), m.rand.Uint64())
	if c, ok := m.some(func(*container) bool { return true }); ok && m.one(8) {
		text = c.id.Short() + text[inventory.ShortIDLen:]
	}
	return inventory.ID(text)
}

// create makes a container and its folder, the one or the other first.
func (m *model) create() {
	if c := m.make(); c != nil {
		if m.one(3) {
			m.folder(c)
			m.list(c)
		} else {
			m.list(c)
			m.folder(c)
		}
	}
}

// createLate makes a container without a folder, or a folder for one that has
// none.
func (m *model) createLate() {
	if c, ok := m.some(func(c *container) bool { return c.lives() && c.path == "" }); ok {
		m.folder(c)
	} else if c := m.make(); c != nil {
		m.list(c)
	}
}

// make makes a container that Docker does not know yet.
func (m *model) make() *container {
	living := 0
	for _, c := range m.containers {
		if c.lives() {
			living++
		}
	}
	if living > 12 {
		return nil
	}
	if len(m.ids) > 60 {
		m.ids = slices.DeleteFunc(m.ids, func(id inventory.ID) bool {
			old := !m.containers[id].lives() && (m.containers[id].path == "" || !exists(m.abs(m.containers[id].path)))
			if old {
				delete(m.containers, id)
			}
			return old
		})
	}
	c := &container{id: m.newID(), state: inventory.Exited}
	m.containers[c.id], m.ids = c, append(m.ids, c.id)
	return c
}

// list makes Docker know a container; its event may be lost.
func (m *model) list(c *container) {
	c.listed = true
	if m.one(2) {
		c.state = inventory.Running
		m.up(c)
	}
	if !m.one(5) {
		m.tell("created", c, func(id inventory.ID) { m.ledger.Created(id, "orders", m.now()) })
	} else {
		m.say("created %s, the event is lost", c.id.Short())
	}
}

// folder makes the folder of a container, or finds it there.
func (m *model) folder(c *container) {
	name := c.id.Short()
	if m.one(4) {
		name = string(c.id)
	}
	dir, _ := pick(m.rand, []string{"apps/orders/containers", "apps/orders/containers", "apps/pay\nments/containers"})
	if len(m.roots) > 1 && m.one(3) {
		dir = "batch"
	}
	if os.MkdirAll(m.abs(dir), 0o755) != nil {
		return // a tenant has put something else there
	}
	if path := dir + "/" + name; m.ino(path) != 0 || m.fill(path) {
		c.path = path
		m.know(path)
		m.say("folder %s", path)
	}
}

func (m *model) stop() {
	if c, ok := m.some(func(c *container) bool { return c.listed && c.pid != 0 }); ok {
		m.down(c)
		c.state, _ = pick(m.rand, []inventory.State{inventory.Exited, inventory.Exited, inventory.Dead, inventory.Removing})
	}
}

func (m *model) start() {
	if c, ok := m.some(func(c *container) bool { return c.listed && c.pid == 0 }); ok {
		m.up(c)
		c.state, _ = pick(m.rand, []inventory.State{inventory.Running, inventory.Running, inventory.Paused, inventory.Restarting})
	}
}

// destroy removes a container, with its event or without.
func (m *model) destroy() {
	c, ok := m.living()
	if !ok {
		return
	}
	m.down(c)
	e := m.ledger.View().Entries[c.id]
	c.odd = c.odd || e.ID == "" || !e.Missing.IsZero() || !e.Gone.IsZero()
	if c.listed {
		c.gone, c.back = m.now(), m.back
	}
	c.listed = false
	if m.one(14) {
		m.say("destroyed %s, the event is lost", c.id.Short())
		return
	}
	m.tell("destroyed", c, func(id inventory.ID) { m.ledger.Removed(id, m.now()) })
}

// lose has Docker forget a container whose process runs, or find it again.
func (m *model) lose() {
	c, ok := m.some(func(c *container) bool { return c.pid != 0 })
	if !ok {
		return
	}
	if c.listed = !c.listed; !c.listed {
		c.gone, c.back = m.now(), m.back
	}
	m.say("lost or found %s", c.id.Short())
}

// accuse sends the destroy event of a container that exists: an event alone is
// not to be trusted.
func (m *model) accuse() {
	if c, ok := m.some(func(c *container) bool { return c.listed }); ok {
		c.odd = true
		m.tell("falsely destroyed", c, func(id inventory.ID) { m.ledger.Removed(id, m.now()) })
	}
}

// restartDocker starts the Engine anew.
func (m *model) restartDocker() { m.started = m.now() }

// reopenDocker ends every lie.
func (m *model) reopenDocker() {
	m.started = time.Now().Add(-time.Hour)
}
