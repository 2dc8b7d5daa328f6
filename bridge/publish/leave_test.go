package publish_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/publish"
	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/collectors/inventory"
)

func TestAHostThatDoesNotComeBackTakesItsRecordAlong(t *testing.T) {
	onHost(t, func(h *host) {
		_, stop := h.publisher(func(p *publish.Publisher) { p.Withdraw = func(context.Context) bool { return true } })
		h.sees(orders("a", 1))
		h.record()
		events := h.watch()
		stop()
		if got := events(); len(got) != 1 || got[0].Kind != store.Gone || got[0].Cause != store.Withdrawn {
			t.Errorf("got %+v, want it withdrawn", got)
		}
	})
}

// P2: a stop that is no farewell is no event.
func TestP2AStopIsNoFarewell(t *testing.T) {
	onHost(t, func(h *host) {
		_, stop := h.publisher(func(p *publish.Publisher) { p.Withdraw = func(context.Context) bool { return false } })
		h.sees(orders("a", 1))
		h.record()
		events := h.watch()
		stop()
		if got := events(); len(got) != 0 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestAFarewellDoesNotWaitForAStoreThatIsAway(t *testing.T) {
	onHost(t, func(h *host) {
		way := &road{Store: h.store}
		_, stop := h.publisher(func(p *publish.Publisher) { p.Store, p.Withdraw = way, func(context.Context) bool { return true } })
		h.sees(orders("a", 1))
		h.record()
		way.hangs.Store(true)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the end took %s", took)
		}
	})
}

func TestAnotherAgentsRecordIsNotTakenAlong(t *testing.T) {
	onHost(t, func(h *host) {
		_, stop := h.publisher(func(p *publish.Publisher) { p.Withdraw = func(context.Context) bool { return true } })
		h.sees(orders("a", 1))
		mine := h.record()
		clone, err := h.store.Open(t.Context(), mine.Key(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		theirs := mine
		theirs.Incarnation, theirs.Seq = store.NewIncarnation(time.Now(), mine.Incarnation), 1
		if err := clone.Publish(t.Context(), theirs); err != nil {
			t.Fatal(err)
		}
		stop()
		if e, ok := h.entry(); !ok || !e.Record.Same(theirs) {
			t.Errorf("the store holds %+v, want the clone's record", e)
		}
	})
}

func TestARecordThatIsTooLargeLosesItsLastMappings(t *testing.T) {
	onHost(t, func(h *host) {
		p, _ := h.publisher()
		var many []inventory.Container
		for i := range 3000 {
			c := orders("a", uint16(i+1))
			c.ID = inventory.ID(fmt.Sprintf("%064x", i))
			if i%2 == 0 {
				c.Ports[0].Container = 80
			}
			many = append(many, c)
		}
		h.sees(many...)
		r := h.record()
		if r.Cut == 0 || r.Cut+len(r.Mappings) != 3000 || r.Reservation == nil || len(r.Reservation.Shapes) != 0 {
			t.Fatalf("%d mappings and %d cut, want 3000 in all, and no shapes", len(r.Mappings), r.Cut)
		}
		for _, m := range r.Mappings[:min(len(r.Mappings), 500)] {
			if m.Name != "jmxmp" {
				t.Fatalf("%+v is before a JMXMP port", m)
			}
		}
		if s := p.Status(); s.Cut != r.Cut || s.Fault != "" {
			t.Errorf("status %+v", s)
		}
		h.sees(orders("a", 1))
		if r := h.record(); r.Cut != 0 || p.Status().Cut != 0 {
			t.Errorf("once it fits: %d cut, status %+v", r.Cut, p.Status())
		}
	})
}

// An ecsAgent is what an ECS agent says, and its changes.
type ecsAgent struct {
	mu      sync.Mutex // guards the fields below
	now     inventory.Tasks
	changed chan struct{}
}

func (a *ecsAgent) watch() (inventory.Tasks, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.changed == nil {
		a.changed = make(chan struct{})
	}
	return a.now, a.changed
}

func (a *ecsAgent) says(t inventory.Tasks) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = t
	if a.changed != nil {
		close(a.changed)
		a.changed = nil
	}
}

func TestWhatTheECSAgentSaysIsPublished(t *testing.T) {
	onHost(t, func(h *host) {
		var agent ecsAgent
		h.publisher(func(p *publish.Publisher) { p.Tasks = agent.watch })
		c := orders("a", 1)
		h.sees(c)
		settle()
		if e, ok := h.entry(); ok {
			t.Errorf("before the agent has been asked: %+v", e.Record)
		}
		<-time.After(5 * time.Second)
		if r := h.record(); r.Reservation.Exact || r.Instance != "" {
			t.Errorf("an agent that takes too long: %+v", r)
		}
		task := inventory.Task{ARN: c.Task, Desired: "STOPPED", Known: "RUNNING", Size: &inventory.TaskSize{CPU: 512, Memory: 100, Source: inventory.FromCgroup}}
		agent.says(inventory.Tasks{Settled: true, Taken: time.Now(), Instance: "4d39", All: []inventory.Task{task}})
		want := store.Vector{Registered: 4096, Host: 512}
		r := h.record()
		if got := r.Reservation; r.Instance != "4d39" || !got.Exact || got.Stopping != 1 || got.CPU.Host != want.Host || got.CPU.Scheduled != 0 || got.Source != "introspection+cgroup+docker" {
			t.Errorf("got %+v", got)
		}
	})
}

// P2: a restart on an ECS host is seen by nobody, although Docker answers before
// the ECS agent.
func TestP2ARestartWaitsForTheECSAgentsView(t *testing.T) {
	onHost(t, func(h *host) {
		c := orders("a", 1)
		task := inventory.Task{ARN: c.Task, Desired: "RUNNING", Known: "RUNNING", Size: &inventory.TaskSize{CPU: 512, Memory: 100, Source: inventory.FromCgroup}}
		all := inventory.Tasks{Settled: true, Taken: time.Now().Add(time.Hour), Instance: "4d39", All: []inventory.Task{task}}
		before := &ecsAgent{now: all}
		_, stop := h.publisher(func(p *publish.Publisher) { p.Tasks = before.watch })
		h.sees(c)
		h.record()
		stop()
		events := h.watch()
		var after ecsAgent
		h.hub = newHub()
		h.publisher(func(p *publish.Publisher) { p.Tasks = after.watch })
		h.sees(c)
		<-time.After(3 * time.Second)
		after.says(all)
		<-time.After(time.Minute)
		if got := events(); len(got) != 0 {
			t.Errorf("got %+v, want no event", got)
		}
	})
}
