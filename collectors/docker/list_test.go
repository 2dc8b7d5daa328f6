package docker_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/dockerproxy"
	"github.com/berth-dev/berth/test/engine"
)

func TestListIsCompleteAndKnowsItsEngine(t *testing.T) {
	began := time.Now()
	d := engine.Private(t)
	running, created := d.Run(t, engine.Options{}), d.Create(t, engine.Options{})
	asked := time.Now()
	l, err := dial(t, d.Socket()).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states := map[inventory.ID]inventory.State{}
	for _, c := range l.Containers {
		states[c.ID] = c.State
	}
	if len(states) != 2 || states[running] != inventory.Running || states[created] != inventory.Created {
		t.Errorf("list tells %v", states)
	}
	e := l.Engine
	if e.ID == "" || e.RootDir != d.DataRoot() || e.Version == "" || e.APIVersion == "" || e.CPUs < 1 || e.Memory < 1<<20 {
		t.Errorf("engine %+v", e)
	}
	if e.Started.Before(began.Add(-2*time.Second)) || e.Started.After(asked.Add(2*time.Second)) {
		t.Errorf("engine started %v, want between %v and %v", e.Started, began, asked)
	}
	if l.Taken.Before(asked) {
		t.Errorf("taken %v, before it was asked for", l.Taken)
	}
}

func TestStartOfAnEngineBehindAProxyIsTheYoungests(t *testing.T) {
	engine.Default(t)
	d := engine.Private(t)
	p := dockerproxy.New(t, d.Socket())
	if got, want := docker.EngineStarted(p.Socket()), docker.EngineStarted(d.Socket()); !got.Equal(want) || got.IsZero() {
		t.Errorf("started %v, want %v", got, want)
	}
}

// D2: all or nothing.
func TestAListShorterThanTheEnginesCountIsAnError(t *testing.T) {
	d := engine.Private(t)
	ids := []inventory.ID{d.Create(t, engine.Options{}), d.Create(t, engine.Options{}), d.Create(t, engine.Options{})}
	p := dockerproxy.New(t, d.Socket())
	c := dial(t, p.Socket())
	for name, f := range map[string]dockerproxy.Faults{
		"one missing": {DropFromList: ids[:1]}, "all missing": {DropFromList: ids}, "empty": {EmptyList: true},
	} {
		before := p.Count("/containers/json")
		p.Set(f)
		if _, err := c.List(t.Context()); !errors.Is(err, docker.ErrPartial) {
			t.Errorf("%s: error %v, want ErrPartial", name, err)
		}
		if got := p.Count("/containers/json") - before; got != 3 {
			t.Errorf("%s: asked %d times, want 3", name, got)
		}
	}
	p.Set(dockerproxy.Faults{})
	if l, err := c.List(t.Context()); err != nil || len(l.Containers) != 3 {
		t.Errorf("%d containers, error %v once the fault is over", len(l.Containers), err)
	}
}

func TestADataRootThatChangesDuringAListIsAnError(t *testing.T) {
	d := engine.Private(t)
	p := dockerproxy.New(t, d.Socket())
	c := dial(t, p.Socket())
	p.Set(dockerproxy.Faults{HangPath: "/containers/json"})
	result := make(chan error, 1)
	go func() {
		_, err := c.List(t.Context())
		result <- err
	}()
	eventually(t, "the list request", func() bool { return p.Count("/containers/json") == 1 })
	p.Set(dockerproxy.Faults{OtherRoot: "/elsewhere"})
	if err := <-result; !errors.Is(err, docker.ErrEngineChanged) {
		t.Errorf("error %v, want ErrEngineChanged", err)
	}
	if l, err := c.List(t.Context()); err != nil || l.Engine.RootDir != "/elsewhere" {
		t.Errorf("data root %q, error %v", l.Engine.RootDir, err)
	}
}

func TestAListThatFailsIsAnErrorThatSaysWhy(t *testing.T) {
	e := engine.Default(t)
	p := dockerproxy.New(t, e.Socket())
	c := dial(t, p.Socket())
	c.Timeout = 200 * time.Millisecond
	tests := map[string]struct {
		faults dockerproxy.Faults
		is     error
		says   string
	}{
		"refused":            {dockerproxy.Faults{Refuse: true}, syscall.ECONNREFUSED, "connection refused"},
		"hung":               {dockerproxy.Faults{Hang: true}, context.DeadlineExceeded, "no answer within 200ms"},
		"hung at the list":   {dockerproxy.Faults{HangPath: "/containers/json"}, context.DeadlineExceeded, "list containers: no answer"},
		"error status":       {dockerproxy.Faults{Status: 500}, nil, "status 500"},
		"half of the answer": {dockerproxy.Faults{HalfBody: true}, nil, "ended early"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p.Set(tt.faults)
			_, err := c.List(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v is not %v", err, tt.is)
			}
		})
	}
	p.Set(dockerproxy.Faults{})
	c.Timeout = 0
	if _, err := c.List(t.Context()); err != nil {
		t.Errorf("once the faults are over: %v", err)
	}
}

func TestASocketThatIsNotThereIsNoReasonToFailBeforeACall(t *testing.T) {
	c := dial(t, filepath.Join(t.TempDir(), "none"))
	if _, err := c.List(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want not exist", err)
	}
	if _, err := docker.Dial("relative"); err == nil {
		t.Error("a relative path is no error")
	}
}

// D2: what the Engine said earlier stands for the question before, and no more.
func TestAListAfterAnotherAsksTheEngineOnce(t *testing.T) {
	d := engine.Private(t)
	d.Create(t, engine.Options{})
	p := dockerproxy.New(t, d.Socket())
	c := dial(t, p.Socket())
	list := func(want int) {
		t.Helper()
		before := p.Count("/info")
		l, err := c.List(t.Context())
		if err != nil || len(l.Containers) != 1 || l.Engine.RootDir == "" || l.Engine.Started.IsZero() {
			t.Errorf("error %v, listing %+v", err, l)
		}
		if got := p.Count("/info") - before; got != want {
			t.Errorf("/info was asked %d times, want %d", got, want)
		}
	}
	list(2)
	list(1)
	p.Set(dockerproxy.Faults{OtherRoot: "/elsewhere"})
	list(2)
	list(1)
	p.Set(dockerproxy.Faults{Status: 500})
	if _, err := c.List(t.Context()); err == nil {
		t.Error("a list succeeds though the Engine answers 500")
	}
	p.Set(dockerproxy.Faults{})
	list(2)
}

// A container is made from the image that bore a name at the time. Once that has
// moved on the list has an ID, and who asks for all that takes space still has to
// know the name, at the cost of one inspect in a container's life.
func TestAContainerHasTheNameThatItWasMadeBy(t *testing.T) {
	d := engine.Private(t)
	build := func(content string) string {
		return d.Load(t, engine.Build{Names: []string{"orders:latest"}, Layers: []engine.Content{{Name: content, Bytes: 100}}})[0]
	}
	old := build("old")
	id := d.Create(t, engine.Options{Image: "orders:latest"})
	p := dockerproxy.New(t, d.Socket())
	c := dial(t, p.Socket())
	inspects := func() int { return p.Count("/containers/" + string(id) + "/json") }
	check := func(l inventory.Listing, err error, want int) {
		t.Helper()
		if err != nil || len(l.Containers) != 1 || l.Containers[0].Image != "orders:latest" || l.Containers[0].ImageID != old {
			t.Errorf("error %v, listing %+v", err, l.Containers)
		}
		if got := inspects(); got != want {
			t.Errorf("%d inspects, want %d", got, want)
		}
	}
	s, err := c.Store(t.Context(), inventory.Wanted{})
	check(s.Listing, err, 0)
	if build("new") == old {
		t.Fatal("the name has not moved")
	}
	for range 2 {
		s, err = c.Store(t.Context(), inventory.Wanted{})
		check(s.Listing, err, 1)
		l, err := c.List(t.Context())
		check(l, err, 1)
	}
}
