package docker_test

import (
	"testing"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/engine"
)

// The ID is the same, and so may be the address: only start and process tell.
func TestARestartIsNews(t *testing.T) {
	d := engine.Private(t)
	id := d.Run(t, engine.Options{})
	w := watch(t, d.Socket())
	running := func(other int) func(inventory.Snapshot) bool {
		return func(s inventory.Snapshot) bool {
			c, _ := s.Container(id)
			return c.State == inventory.Running && c.PID != 0 && c.PID != other
		}
	}
	before, _ := until(t, w, "its process", running(0)).Container(id)
	d.Restart(t, id)
	after, _ := until(t, w, "another process", running(before.PID)).Container(id)
	if !after.Started.After(before.Started) {
		t.Errorf("started %v, and before the restart %v", after.Started, before.Started)
	}
	d.Kill(t, id)
	until(t, w, "its end, without a process", func(s inventory.Snapshot) bool {
		c, _ := s.Container(id)
		return c.State == inventory.Exited && c.PID == 0
	})
}

func TestOnlyLabelsThatAreAskedForAreKept(t *testing.T) {
	e := engine.Default(t)
	w := watch(t, e.Socket(), func(w *docker.Watcher) { w.Client.Labels = []string{"team", "none", "long"} })
	long := make([]byte, 2*inventory.MaxLabel)
	for i := range long {
		long[i] = 'x'
	}
	id := e.Run(t, engine.Options{Labels: map[string]string{"team": "shop", "secret": "s", "long": string(long)}})
	c, _ := until(t, w, "a start", in(id, inventory.Running)).Container(id)
	if len(c.Labels) != 2 || c.Labels["team"] != "shop" || len(c.Labels["long"]) != inventory.MaxLabel {
		t.Errorf("labels %v", c.Labels)
	}
}
