package docker_test

import (
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/dockerproxy"
	"github.com/berth-dev/berth/test/engine"
)

func TestWatcherSeesEveryState(t *testing.T) {
	d := engine.Private(t)
	w := watch(t, d.Socket())
	until(t, w, "an empty host", func(s inventory.Snapshot) bool { return synced(s) && len(s.Containers) == 0 })
	id := d.Create(t, engine.Options{})
	until(t, w, "created", in(id, inventory.Created))
	for _, step := range []struct {
		do   func(testing.TB, inventory.ID)
		want inventory.State
	}{
		{d.Start, inventory.Running},
		{d.Pause, inventory.Paused},
		{d.Unpause, inventory.Running},
		{d.Kill, inventory.Exited},
		{d.Start, inventory.Running},
		{d.Stop, inventory.Exited},
	} {
		step.do(t, id)
		until(t, w, string(step.want), in(id, step.want))
	}
	looping := d.Run(t, engine.Options{RestartPolicy: "always", Cmd: []string{"-for=0", "-exit=3"}})
	until(t, w, "restarting", in(looping, inventory.Restarting))
	d.Remove(t, id)
	until(t, w, "removal", func(s inventory.Snapshot) bool {
		_, there := s.Container(id)
		return !there
	})
}

func TestWatcherTellsTheFacts(t *testing.T) {
	e, logs := engine.Default(t), t.TempDir()
	w := watch(t, e.Socket(), func(w *docker.Watcher) {
		w.Client.ServiceLabel = "service"
		w.LogFolder = func(service string, mounts []inventory.Mount, id inventory.ID) string {
			return filepath.Join("/", service, id.Short())
		}
	})
	before := time.Now().Add(-time.Second)
	id := e.Run(t, engine.Options{
		Ports: []string{"5555", "127.0.0.1::80/udp"}, Binds: []string{logs + ":/logs:ro"}, Memory: 64 << 20,
		Reservation: 32 << 20, CPUShares: 256, Labels: map[string]string{"service": "orders"}, Tmpfs: []string{"/scratch"},
		Health: []string{"/workload", "-for=0"}, HealthEvery: 100 * time.Millisecond,
	})
	s := until(t, w, "a healthy container", func(s inventory.Snapshot) bool {
		c, _ := s.Container(id)
		return c.Health == "healthy" && !c.Started.IsZero()
	})
	c, _ := s.Container(id)
	if c.Service != "orders" || c.ECS || c.LogFolder != "/orders/"+id.Short() || c.NetworkMode != "bridge" && c.NetworkMode != "default" {
		t.Errorf("service %q, ecs %v, log folder %q, network %q", c.Service, c.ECS, c.LogFolder, c.NetworkMode)
	}
	if c.Image != e.Image(t) || len(c.Names) != 1 || c.Name != c.Names[0] {
		t.Errorf("image %q, names %v, name %q", c.Image, c.Names, c.Name)
	}
	if c.Created.Before(before) || c.Started.Before(c.Created) || !c.Finished.IsZero() {
		t.Errorf("created %v, started %v, finished %v", c.Created, c.Started, c.Finished)
	}
	limits := inventory.Limits{CPUShares: 256, Memory: 64 << 20, MemoryReservation: 32 << 20}
	if diff := cmp.Diff(limits, c.Limits); diff != "" {
		t.Error(diff)
	}
	if want := (inventory.Mount{Type: "bind", Source: logs, Destination: "/logs", ReadOnly: true}); !slices.Contains(c.Mounts, want) {
		t.Errorf("mounts %v, want %v among them", c.Mounts, want)
	}
	if found, ok := s.ByAddress(c.Addresses[0]); !ok || found.ID != id {
		t.Errorf("address %v leads to %v", c.Addresses, found.ID)
	}
	udp := slices.IndexFunc(c.Ports, func(p inventory.Port) bool { return p.Protocol == "udp" })
	tcp := slices.IndexFunc(c.Ports, func(p inventory.Port) bool { return p.Container == 5555 })
	if udp < 0 || tcp < 0 || c.Ports[udp].HostAddr != netip.MustParseAddr("127.0.0.1") || c.Ports[tcp].Host == 0 {
		t.Errorf("ports %v", c.Ports)
	}

	e.Kill(t, id)
	s = until(t, w, "its end", func(s inventory.Snapshot) bool {
		c, _ := s.Container(id)
		return c.State == inventory.Exited && !c.Finished.IsZero()
	})
	c, _ = s.Container(id)
	if c.ExitCode != 137 || c.Finished.Before(c.Started) || len(c.Ports)+len(c.Addresses) > 0 || c.Health != "" {
		t.Errorf("after its end: %+v", c)
	}
}

func TestAStartIsVisibleSoonAfterItsEvent(t *testing.T) {
	d := engine.Private(t)
	w := watch(t, d.Socket())
	until(t, w, "the host", synced)
	var delays []time.Duration
	for range 5 {
		id := d.Run(t, engine.Options{})
		s := until(t, w, "a start", func(s inventory.Snapshot) bool {
			c, _ := s.Container(id)
			return c.State == inventory.Running && !c.Started.IsZero()
		})
		c, _ := s.Container(id)
		delays = append(delays, time.Since(c.Started))
	}
	// Docker notes the start before it tells of it, so this is more than our part.
	// The best of five leaves out what else the machine is doing.
	if best := slices.Min(delays); best > 50*time.Millisecond {
		t.Errorf("from the start to the picture: %v, want 50 ms", delays)
	}
}

func TestWatcherSubscribesBeforeItLists(t *testing.T) {
	d := engine.Private(t)
	p := dockerproxy.New(t, d.Socket())
	p.Set(dockerproxy.Faults{HangPath: "/events"})
	w := watch(t, p.Socket())
	eventually(t, "the subscription", func() bool { return p.Count("/events") == 1 })
	id := d.Run(t, engine.Options{})
	if n := p.Count("/containers/json"); n > 0 {
		t.Errorf("%d lists before the subscription was accepted", n)
	}
	p.Set(dockerproxy.Faults{})
	until(t, w, "what started meanwhile", in(id, inventory.Running))
	var order []string
	for _, r := range p.Requests() {
		order = append(order, r.Path)
	}
	if events, list := slices.Index(order, "/events"), slices.Index(order, "/containers/json"); events > list {
		t.Errorf("order of requests: %v", order)
	}
}

// I1: one loop, one pace.
func TestAStormIsFewListings(t *testing.T) {
	const (
		many = 50
		slow = 40 * time.Millisecond // the Engine takes for a list
	)
	d := engine.Private(t)
	p := dockerproxy.New(t, d.Socket())
	w := watch(t, p.Socket())
	until(t, w, "the host", synced)
	p.Set(dockerproxy.Faults{SlowList: slow})
	before, inspects, began := p.Count("/containers/json"), len(p.Requests()), time.Now()
	o := engine.Options{Image: d.Image(t)}
	for range many {
		if _, err := d.TryCreate(o); err != nil {
			t.Fatal(err)
		}
	}
	until(t, w, "all of them with details", func(s inventory.Snapshot) bool {
		return len(s.Containers) == many && !slices.ContainsFunc(s.Containers, func(c inventory.Container) bool {
			return c.Created.Nanosecond() == 0 // the list's times are whole seconds
		})
	})
	lists, took := p.Count("/containers/json")-before, time.Since(began)
	t.Logf("%d creates in %v: %d listings, %d requests in all", many, took, lists, len(p.Requests())-inspects)
	if limit := int(took/(3*slow)) + 2; lists > limit {
		t.Errorf("%d listings in %v, want at most %d", lists, took, limit)
	}
	if n := p.Count("/info"); n != 2 {
		t.Errorf("/info was asked %d times, want 2, at the connection", n)
	}
}

func TestDetailsAreAskedForOnce(t *testing.T) {
	d := engine.Private(t)
	quiet := d.Run(t, engine.Options{})
	p := dockerproxy.New(t, d.Socket())
	w := watch(t, p.Socket())
	until(t, w, "the host", synced)
	busy := d.Run(t, engine.Options{})
	until(t, w, "a start", in(busy, inventory.Running))
	d.Kill(t, busy)
	until(t, w, "an end", func(s inventory.Snapshot) bool {
		c, _ := s.Container(busy)
		return !c.Finished.IsZero()
	})
	if n := p.Count("/containers/" + string(quiet) + "/json"); n != 1 {
		t.Errorf("a container that did not change was inspected %d times, want once", n)
	}
}

func TestObserverHearsInOrderAndFirst(t *testing.T) {
	d := engine.Private(t)
	o := &observer{}
	w := watch(t, d.Socket(), func(w *docker.Watcher) { w.Observer, o.hub = o, w.Inventory })
	until(t, w, "the host", synced)
	id := d.Run(t, engine.Options{Name: "first", Labels: map[string]string{"com.docker.compose.service": "orders"}})
	d.Rename(t, id, "second")
	d.Pause(t, id)
	d.Unpause(t, id)
	d.Kill(t, id)
	until(t, w, "the end", in(id, inventory.Exited))
	d.Remove(t, id)
	until(t, w, "the removal", func(s inventory.Snapshot) bool { return len(s.Containers) == 0 })

	kinds, all := o.of(id)
	kinds, all = withoutEcho(kinds, all)
	want := []docker.Kind{
		docker.Created, docker.Started, docker.Renamed, docker.Paused, docker.Unpaused, docker.Died, docker.Removed,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Fatal(diff)
	}
	for i, e := range all {
		if e.Service != "orders" || e.At.IsZero() || i > 0 && e.At.Before(all[i-1].At) {
			t.Errorf("event %+v", e)
		}
	}
	if all[2].Detail != "first" || all[5].Detail != "137" {
		t.Errorf("renamed from %q, died with %q", all[2].Detail, all[5].Detail)
	}
	if o.seen[0] != "" {
		t.Errorf("the picture had the container %s before the observer heard of it", o.seen[0])
	}
	if last := o.last(); last.Engine.RootDir != d.DataRoot() || len(last.Containers) != 0 || last.Taken.IsZero() {
		t.Errorf("last listing %+v", last)
	}
}

// withoutEcho removes what a busy Engine tells twice: containerd's news of a
// pause may come when the Engine has undone that already, and then both are
// events again (its daemon/monitor.go).
func withoutEcho(kinds []docker.Kind, all []docker.Event) ([]docker.Kind, []docker.Event) {
	echo := []docker.Kind{docker.Paused, docker.Unpaused, docker.Paused, docker.Unpaused}
	for i := range kinds {
		if i+len(echo) <= len(kinds) && slices.Equal(kinds[i:i+len(echo)], echo) {
			return slices.Delete(kinds, i, i+2), slices.Delete(all, i, i+2)
		}
	}
	return kinds, all
}

func TestAStaleImageNameIsRead(t *testing.T) {
	d := engine.Private(t)
	if err := d.Import("shop/orders", "1", engine.Workload(t)); err != nil {
		t.Fatal(err)
	}
	id := d.Create(t, engine.Options{Image: "shop/orders:1"})
	if err := d.Import("shop/orders", "1", engine.Workload(t)); err != nil { // the name moves on
		t.Fatal(err)
	}
	w := watch(t, d.Socket())
	c, _ := until(t, w, "the host", synced).Container(id)
	if c.Image != "shop/orders:1" || c.Service != "orders" {
		t.Errorf("image %q, service %q, want those of its creation", c.Image, c.Service)
	}
}

func TestAChangeThatTheListShowsLateIsStillSeen(t *testing.T) {
	d := engine.Private(t)
	w := watch(t, d.Socket())
	until(t, w, "the host", synced)
	id := d.Run(t, engine.Options{})
	for range 10 { // Docker tells of a pause before its list shows it
		d.Pause(t, id)
		until(t, w, "a pause", in(id, inventory.Paused))
		d.Unpause(t, id)
		until(t, w, "its end", in(id, inventory.Running))
	}
}
