package docker_test

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/dockerproxy"
	"github.com/berth-dev/berth/test/engine"
)

// hasty makes a watcher notice within a test's patience.
func hasty(w *docker.Watcher) {
	w.Client.Timeout = 500 * time.Millisecond
	w.Probe = 200 * time.Millisecond
}

func TestWatcherKeepsThePictureWhileItIsBlind(t *testing.T) {
	d := engine.Private(t)
	id := d.Run(t, engine.Options{})
	p := dockerproxy.New(t, d.Socket())
	w := watch(t, p.Socket(), hasty)
	until(t, w, "the host", synced)
	for _, tt := range []struct {
		name   string
		faults dockerproxy.Faults
		says   string
	}{
		{"refused", dockerproxy.Faults{Refuse: true}, "docker: " + p.Socket() + ": connection refused"},
		{"hung", dockerproxy.Faults{Hang: true}, "no answer within 500ms"},
		{"error status", dockerproxy.Faults{Status: 500}, "status 500"},
		{"half a body", dockerproxy.Faults{HalfBody: true}, "ended early"},
		{"a short list", dockerproxy.Faults{EmptyList: true}, "shorter than the Engine's own count: 0 of 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			since := time.Now()
			before := w.Status()
			p.Set(tt.faults)
			p.CutEvents()
			s := until(t, w, "blindness", func(s inventory.Snapshot) bool { return strings.Contains(s.Blind, tt.says) })
			if c, ok := s.Container(id); !ok || c.State != inventory.Running || c.Limits != (inventory.Limits{}) || c.Started.IsZero() {
				t.Errorf("the container is %+v while blind", c)
			}
			if !s.Synced || s.BlindSince.Before(since) || !strings.HasPrefix(s.Blind, "docker: "+p.Socket()+": ") {
				t.Errorf("synced %v, blind %q since %v", s.Synced, s.Blind, s.BlindSince)
			}
			if got := w.Status(); got.Connected || got.Blind == "" || got.BlindTotal <= before.BlindTotal {
				t.Errorf("status %+v", got)
			}
			p.Set(dockerproxy.Faults{})
			until(t, w, "recovery", synced)
			if got := w.Status(); !got.Connected || got.Blind != "" || !got.BlindSince.IsZero() || got.Reconnects != before.Reconnects+1 {
				t.Errorf("status after recovery %+v", got)
			}
		})
	}
}

func TestASilentHangIsNoticedByThePing(t *testing.T) {
	d := engine.Private(t)
	id := d.Run(t, engine.Options{})
	w := watch(t, d.Socket(), hasty)
	until(t, w, "the host", synced)
	d.Freeze(t)
	s := until(t, w, "blindness", blind)
	if _, ok := s.Container(id); !ok || !strings.Contains(s.Blind, "no answer") {
		t.Errorf("blind %q with %d containers", s.Blind, len(s.Containers))
	}
	d.Thaw(t)
	until(t, w, "recovery", synced)
}

func TestACutEventStreamLosesNoEvent(t *testing.T) {
	d := engine.Private(t)
	p := dockerproxy.New(t, d.Socket())
	o := &observer{}
	w := watch(t, p.Socket(), func(w *docker.Watcher) { w.Observer, o.hub = o, w.Inventory })
	until(t, w, "the host", synced)
	first := d.Create(t, engine.Options{})
	until(t, w, "the first", in(first, inventory.Created))
	p.Set(dockerproxy.Faults{Refuse: true})
	s := until(t, w, "blindness", blind)
	if !strings.HasPrefix(s.Blind, "docker: ") {
		t.Errorf("blind %q", s.Blind)
	}
	brief := d.Create(t, engine.Options{})
	d.Remove(t, brief)
	p.Set(dockerproxy.Faults{})
	until(t, w, "recovery", synced)
	eventually(t, "the events of a container that came and went meanwhile", func() bool {
		kinds, _ := o.of(brief)
		return len(kinds) == 2 && kinds[0] == docker.Created && kinds[1] == docker.Removed
	})
	if kinds, _ := o.of(first); len(kinds) != 1 {
		t.Errorf("the first container's events were told again: %v", kinds)
	}
}

func TestWatcherOutlivesTheEngine(t *testing.T) {
	d := engine.Private(t, "--live-restore")
	id := d.Run(t, engine.Options{})
	w := watch(t, d.Socket())
	until(t, w, "the host", synced)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		d.Down(t, sig)
		s := until(t, w, "blindness", blind)
		if !in(id, inventory.Running)(s) {
			t.Errorf("%v: the container is not in the picture while blind: %q", sig, s.Blind)
		}
		d.Up(t)
		s = until(t, w, "recovery", synced)
		if !in(id, inventory.Running)(s) {
			t.Errorf("%v: the container is not in the picture after recovery", sig)
		}
	}
	if got := w.Status(); got.Reconnects != 2 || got.BlindTotal <= 0 {
		t.Errorf("status %+v", got)
	}
}

func TestAContainerThatDiesWithTheEngineIsSeenDead(t *testing.T) {
	d := engine.Private(t)
	id := d.Run(t, engine.Options{Ports: []string{"5555"}})
	w := watch(t, d.Socket())
	if c, _ := until(t, w, "the host", synced).Container(id); len(c.Ports) != 1 {
		t.Errorf("ports %v, want one", c.Ports)
	}
	d.Down(t, syscall.SIGKILL)
	until(t, w, "blindness", blind)
	d.Up(t)
	s := until(t, w, "its end", in(id, inventory.Exited))
	if c, _ := s.Container(id); len(c.Ports)+len(c.Addresses) > 0 {
		t.Errorf("a dead container has ports %v and addresses %v", c.Ports, c.Addresses)
	}
}

func TestWatcherWaitsForAnEngineThatIsNotThereYet(t *testing.T) {
	p := dockerproxy.New(t, engine.Default(t).Socket())
	p.Set(dockerproxy.Faults{Refuse: true})
	w := watch(t, p.Socket())
	if s := until(t, w, "blindness", blind); s.Synced || len(s.Containers) > 0 {
		t.Errorf("synced %v with %d containers before anything was seen", s.Synced, len(s.Containers))
	}
	p.Set(dockerproxy.Faults{})
	until(t, w, "the host", synced)
	if got := w.Status(); got.Reconnects != 0 || got.LastList.IsZero() {
		t.Errorf("status %+v", got)
	}
}

func TestAnInspectThatHangsHoldsNothingUp(t *testing.T) {
	d := engine.Private(t)
	stuck := d.Create(t, engine.Options{})
	p := dockerproxy.New(t, d.Socket())
	p.Set(dockerproxy.Faults{HangPath: "/containers/" + string(stuck) + "/json"})
	w := watch(t, p.Socket())
	until(t, w, "the host", in(stuck, inventory.Created))
	id := d.Run(t, engine.Options{})
	s := until(t, w, "another's start", in(id, inventory.Running))
	if c, _ := s.Container(stuck); c.Image == "" || !c.Started.IsZero() {
		t.Errorf("the stuck container is %+v", c)
	}
	p.Set(dockerproxy.Faults{})
	until(t, w, "the answer", func(s inventory.Snapshot) bool {
		c, _ := s.Container(stuck)
		return c.Created.Nanosecond() != 0
	})
}

func TestResyncFindsWhatNoEventTold(t *testing.T) {
	d := engine.Private(t)
	id := d.Create(t, engine.Options{})
	p := dockerproxy.New(t, d.Socket())
	p.Set(dockerproxy.Faults{OtherRoot: "/before"})
	w := watch(t, p.Socket(), func(w *docker.Watcher) { w.Resync = 50 * time.Millisecond })
	until(t, w, "the host", in(id, inventory.Created))
	p.Set(dockerproxy.Faults{OtherRoot: "/after"}) // no event tells of this
	until(t, w, "the other root", func(s inventory.Snapshot) bool { return s.Engine.RootDir == "/after" })
}

// I4: Run returns after its goroutines.
func TestRunLeavesNoGoroutine(t *testing.T) {
	d := engine.Private(t)
	d.Create(t, engine.Options{})
	before := 0
	for i := range 3 {
		t.Run("once", func(t *testing.T) {
			w := watch(t, d.Socket())
			until(t, w, "the host", synced)
		})
		if i == 0 {
			before = runtime.NumGoroutine() // the test's own connections are open by now
		}
	}
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
}
