package ecs_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/ecs"
	"github.com/berth-dev/berth/collectors/inventory"
)

func whole(digit string) inventory.ID {
	return inventory.ID(strings.Repeat(digit, inventory.IDLen))
}

// An agent is an ECS agent: its two servers, on loopback.
type agent struct {
	*testing.T
	hub   inventory.Inventory
	calls atomic.Int64 // of the metadata endpoint
	down  atomic.Bool
	hangs atomic.Bool // the metadata endpoint

	mu    sync.Mutex // guards the field below
	tasks []byte
	url   string
}

func newAgent(t *testing.T) *agent {
	a := &agent{T: t, tasks: file(t, "introspection/tasks.json")}
	server := httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *agent) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id, isTask := strings.CutPrefix(r.URL.Path, "/v4/")
	switch {
	case a.down.Load():
		http.Error(w, "stopping", http.StatusServiceUnavailable)
	case r.URL.Path == "/v1/tasks":
		_, _ = w.Write(a.tasks)
	case r.URL.Path == "/v1/metadata":
		_, _ = w.Write(file(a, "introspection/metadata.json"))
	case isTask:
		a.calls.Add(1)
		if a.hangs.Load() {
			a.mu.Unlock()
			<-r.Context().Done()
			a.mu.Lock()
			return
		}
		name, _, _ := strings.Cut(id, "-")
		_, _ = w.Write(file(a, "metadata/"+name+".json"))
	default:
		http.NotFound(w, r)
	}
}

// lists changes the agent's list.
func (a *agent) lists(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tasks = []byte(text)
}

// observe runs an observer of this agent.
func (a *agent) observe(change ...func(*ecs.Observer)) *ecs.Observer {
	a.Helper()
	o := &ecs.Observer{Inventory: &a.hub, Log: slog.New(slog.NewTextHandler(a.Output(), nil)), Agent: a.url, Metadata: a.url, Root: a.TempDir()}
	for _, c := range change {
		c(o)
	}
	ctx, cancel := context.WithCancel(a.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	a.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			a.Errorf("Run: %v", err)
		}
	})
	return o
}

// until waits for what the observer says.
func until(t *testing.T, o *ecs.Observer, what string, holds func(inventory.Tasks) bool) inventory.Tasks {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		now, changed := o.Watch()
		if holds(now) {
			return now
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("waited in vain for %s; there is %+v", what, now)
		}
	}
}

// container is a running container of a task.
func container(digit, task string) inventory.Container {
	return inventory.Container{
		ID: whole(digit), ECS: true, Task: arn(task), Name: "app", State: inventory.Running, MetadataID: task + "-0123456789",
		Limits: inventory.Limits{CPUShares: 2, CgroupParent: "ecstasks-" + task + ".slice"},
	}
}

func sizeOf(tasks inventory.Tasks, id string) *inventory.TaskSize {
	t, _ := tasks.Task(arn(id))
	return t.Size
}

func TestTheAgentIsAskedForTasksAndTheirSizes(t *testing.T) {
	a := newAgent(t)
	o := a.observe()
	now := until(t, o, "the list", func(s inventory.Tasks) bool { return len(s.All) == 3 })
	if now.Cluster != "prod" || now.Instance != "4d3910c1e5324b3cb7a4ab3c3e5f6a7b" || now.Taken.IsZero() || now.Fault != "" {
		t.Errorf("got %+v", now)
	}
	a.hub.Replace(inventory.Snapshot{Synced: true, Containers: []inventory.Container{container("a", orders), container("b", billing)}})
	now = until(t, o, "both sizes", func(s inventory.Tasks) bool { return sizeOf(s, orders) != nil && sizeOf(s, billing) != nil })
	task, _ := now.Task(arn(orders))
	if task.Service != "orders-live" || task.Size.CPU != 256 || now.Addresses()[task.ARN].String() != "10.9.8.7" || sizeOf(now, web) != nil {
		t.Errorf("got %+v", now)
	}
	for range 5 { // changes that are no reason to ask again
		_, changed := o.Watch()
		s := a.hub.Snapshot()
		s.Containers = append([]inventory.Container{container("c", web)}, s.Containers...)
		a.lists(strings.Replace(string(file(t, "introspection/tasks.json")), `"orders"`, `"orders`+time.Now().String()+`"`, 1))
		a.hub.Replace(s)
		<-changed
	}
	if n := a.calls.Load(); n != 2 {
		t.Errorf("%d calls for the metadata of two tasks, want one each", n)
	}
}

func TestACgroupStandsInForMetadata(t *testing.T) {
	a := newAgent(t)
	a.hangs.Store(true)
	c := container("a", orders)
	a.hub.Replace(inventory.Snapshot{Synced: true, Containers: []inventory.Container{c}})
	o := a.observe(func(o *ecs.Observer) { o.Root = "testdata/v2" })
	now := until(t, o, "a size", func(s inventory.Tasks) bool { return sizeOf(s, orders) != nil })
	if s := sizeOf(now, orders); s.Source != inventory.FromCgroup || s.CPU != 256 || s.Memory != 512 {
		t.Errorf("got %+v", s)
	}
}

func TestAnAnswerAboutAnotherTaskIsNone(t *testing.T) {
	a := newAgent(t)
	liar := container("a", orders)
	liar.MetadataID = billing + "-1"
	a.hub.Replace(inventory.Snapshot{Synced: true, Containers: []inventory.Container{liar, container("b", billing)}})
	now := until(t, a.observe(), "the honest one's size", func(s inventory.Tasks) bool { return sizeOf(s, billing) != nil })
	if s := sizeOf(now, orders); s != nil {
		t.Errorf("the liar's task got %+v", s)
	}
}

func TestAnAgentThatIsAwayLeavesItsListMarked(t *testing.T) {
	a := newAgent(t)
	o := a.observe()
	before := until(t, o, "the list", func(s inventory.Tasks) bool { return len(s.All) == 3 })
	a.down.Store(true)
	a.hub.Replace(inventory.Snapshot{Synced: true})
	now := until(t, o, "a fault", func(s inventory.Tasks) bool { return s.Fault != "" })
	if diff := cmp.Diff(before.All, now.All, byValue); diff != "" || !strings.Contains(now.Fault, "503") || now.Instance == "" {
		t.Errorf("got %+v %s", now, diff)
	}
	a.down.Store(false)
	a.hub.Replace(inventory.Snapshot{Synced: true})
	until(t, o, "its return", func(s inventory.Tasks) bool { return s.Fault == "" })
}

func TestWithoutAnAgentNoTaskIsListed(t *testing.T) {
	a := newAgent(t)
	a.down.Store(true)
	a.hub.Replace(inventory.Snapshot{Synced: true, Containers: []inventory.Container{container("a", orders)}})
	now := until(t, a.observe(func(o *ecs.Observer) { o.Root = "testdata/v2" }), "a fault", func(s inventory.Tasks) bool { return s.Fault != "" })
	if task, _ := now.Task(arn(orders)); !now.Taken.IsZero() || task.Listed() || task.Size == nil {
		t.Errorf("got %+v, want a task that is not listed, with its cgroup's size", now)
	}
}
