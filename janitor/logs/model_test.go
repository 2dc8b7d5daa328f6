package logs_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/logs"
)

var (
	seed  = flag.Uint64("seed", 0, "seed of the model test; 0 takes one at random")
	steps = flag.Int("steps", 1500, "steps of the model test")
)

// A model is the truth that the sweeper must not get wrong: the folders of
// containers that exist, by inode.
type model struct {
	*rig
	rand   *rand.Rand
	next   int
	inodes map[string]uint64 // of folders whose container exists
	paths  map[inventory.ID]string
	swept  int
}

// J1, J2, J3, J5: whatever order containers come and go in, however the Engine
// lies, and wherever the daemon is killed: a folder whose container exists is
// in its place, the same inode, after every step. The Engine may fail, be
// empty, be short or be another; a container that it conceals keeps its
// process only if it is up.
func TestModelNoLivingContainerLosesItsFolder(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d, steps %d", *seed, *steps)
	m := &model{rig: newRig(t), rand: rand.New(rand.NewPCG(*seed, 1)), inodes: map[string]uint64{}, paths: map[inventory.ID]string{}}
	acts := []func(){m.create, m.create, m.die, m.destroy, m.destroy, m.forget, m.watch, m.watch, m.wait, m.look, m.look, m.undo, m.kill}
	for step := range *steps {
		acts[m.rand.IntN(len(acts))]()
		for path, want := range m.inodes {
			if !exists(path) || inode(t, path) != want {
				t.Fatalf("seed %d, step %d: %s is not in its place", *seed, step, path)
			}
		}
	}
	if m.swept == 0 {
		t.Error("nothing was ever removed: the test proves nothing")
	}
}

// pick returns one of the containers that exist.
func (m *model) pick() (inventory.ID, bool) {
	if len(m.exist) == 0 {
		return "", false
	}
	n := m.rand.IntN(len(m.exist))
	for id := range m.paths {
		if m.exist[id] == "" {
			continue
		}
		if n--; n < 0 {
			return id, true
		}
	}
	return "", false
}

func (m *model) create() {
	if len(m.exist) > 12 {
		return
	}
	m.next++
	id := id(m.next)
	m.exist[id] = inventory.Running
	if m.rand.IntN(4) > 0 { // the event may be lost
		m.ledger.Created(id, "orders", m.now())
	}
	name := id.Short()
	if m.rand.IntN(3) == 0 {
		name = string(id)
	}
	path := m.folder(name)
	m.inodes[path], m.paths[id] = inode(m.t, path), path
}

func (m *model) die() {
	if id, ok := m.pick(); ok {
		m.exist[id] = inventory.Exited
	}
}

// destroy removes a container, with its event or without.
func (m *model) destroy() {
	id, ok := m.pick()
	if !ok {
		return
	}
	delete(m.exist, id)
	delete(m.inodes, m.paths[id])
	if m.rand.IntN(12) > 0 { // else the sweeper is blind for a while
		m.ledger.Removed(id, m.now())
	}
}

// forget sends the destroy event of a container that still exists: events are
// not to be trusted alone.
func (m *model) forget() {
	if id, ok := m.pick(); ok && m.rand.IntN(3) == 0 {
		m.ledger.Removed(id, m.now())
	}
}

func (m *model) watch() {
	m.onList = nil
	m.list()
}

func (m *model) wait() { m.later(time.Duration(m.rand.IntN(90)) * time.Minute) }

// look sweeps, with an Engine that tells the truth or one that lies from some
// listing on.
func (m *model) look() {
	from := m.listings + 1 + m.rand.IntN(3)
	lie := m.lies()[m.rand.IntN(8)]
	m.onList = func(n int, l *inventory.Listing) error {
		if n < from || lie == nil {
			return nil
		}
		return lie(l)
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	r, _ := m.sweeper.Sweep(ctx, logs.Options{By: "model", Purge: m.rand.IntN(4) == 0})
	m.swept += len(r.Removed)
	m.onList = nil
}

// lies are what an Engine may answer; nil is the truth. A listing that leaves
// out a container after its destroy event was sent would be believed, and is
// the truth as far as anybody can tell: events of living containers (forget)
// are taken back by the listing before.
func (m *model) lies() []func(*inventory.Listing) error {
	return []func(*inventory.Listing) error{
		nil, nil, nil,
		func(*inventory.Listing) error { return errors.New("500") },
		func(*inventory.Listing) error { return context.DeadlineExceeded },
		func(l *inventory.Listing) error { l.Engine.RootDir = "/elsewhere"; l.Containers = nil; return nil },
		func(l *inventory.Listing) error { l.Engine.Started = l.Taken; l.Containers = nil; return nil },
		func(l *inventory.Listing) error { m.conceal(l); return nil },
	}
}

// conceal leaves containers out of a listing: those of which no destroy event
// was sent.
func (m *model) conceal(l *inventory.Listing) {
	entries := m.ledger.View().Entries
	kept := l.Containers[:0:0]
	for _, c := range l.Containers {
		if m.rand.IntN(2) == 0 || !entries[c.ID].Event.IsZero() || entries[c.ID].ID == "" {
			kept = append(kept, c)
		}
	}
	l.Containers = kept
}

func (m *model) undo() {
	_, _, _ = m.sweeper.Restore(m.t.Context(), logs.Selector{Last: true}, "model")
}

// kill ends the sweeper between the rename and the second look, and starts
// another.
func (m *model) kill() {
	at := m.listings + 2
	m.onList = func(n int, _ *inventory.Listing) error {
		if n >= at {
			panic("killed")
		}
		return nil
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = m.sweeper.Sweep(m.t.Context(), logs.Options{By: "model"})
	}()
	m.onList = nil
	m.restartAfterCrash()
}
