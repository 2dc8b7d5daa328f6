package docker_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/dockerproxy"
	"github.com/berth-dev/berth/test/engine"
)

func TestWhoIsInAHurryCutsTheRestShort(t *testing.T) {
	const slow = 100 * time.Millisecond // the Engine takes for a list, and then rests for twice that
	d := engine.Private(t)
	p := dockerproxy.New(t, d.Socket())
	w := watch(t, p.Socket())
	id := d.Create(t, engine.Options{Name: "first"})
	until(t, w, "the container", in(id, inventory.Created))
	p.Set(dockerproxy.Faults{SlowList: slow})
	named := func(name string, hurry bool) time.Duration {
		d.Rename(t, id, name)
		began := time.Now()
		eventually(t, name, func() bool {
			if hurry {
				w.Hurry()
			}
			c, _ := w.Inventory.Snapshot().Container(id)
			return len(c.Names) == 1 && c.Names[0] == name
		})
		return time.Since(began)
	}
	var calm, hasty []time.Duration
	for n := range 5 {
		named(fmt.Sprint("before-", n), false)
		calm = append(calm, named(fmt.Sprint("calm-", n), false))
		hasty = append(hasty, named(fmt.Sprint("hasty-", n), true))
	}
	if best, usual := slices.Min(hasty), slices.Min(calm); best > 2*slow || best > usual {
		t.Errorf("in a hurry %v, else %v, want at most %v and less", hasty, calm, 2*slow)
	}
}
