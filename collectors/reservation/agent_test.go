package reservation_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/reservation"
)

var (
	noon = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	lo   = netip.MustParseAddr("10.0.0.7")
)

func hasDoubt(r reservation.Reservation, words string) bool {
	return slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, words) })
}

// listed is a task that the ECS agent lists.
func listed(id, desired, known string, size *inventory.TaskSize) inventory.Task {
	return inventory.Task{
		ARN: "arn:aws:ecs:eu-west-1:1:task/prod/" + id, Family: "orders:211", Desired: desired, Known: known, Service: "orders-live", Size: size,
	}
}

// aged is a container of revision orders:211 that has been there for an hour.
func aged(c inventory.Container) inventory.Container {
	c.Family, c.Created = "orders:211", noon.Add(-time.Hour)
	return c
}

// facts is a host whose ECS agent was asked at noon.
func facts(tasks []inventory.Task, containers ...inventory.Container) reservation.Facts {
	return reservation.Facts{Containers: containers, Tasks: inventory.Tasks{Taken: noon, All: tasks}, Capacity: host}
}

func TestWithTheECSAgent(t *testing.T) {
	whole := &inventory.TaskSize{CPU: 512, Memory: 1024, Source: reservation.FromMetadata}
	none := &inventory.TaskSize{Source: reservation.FromMetadata}
	limited := &inventory.TaskSize{CPU: 128, Source: reservation.FromCgroup}
	app, log := aged(member("t1", "app", 256, 512, 0)), aged(member("t1", "log", 64, 64, 0))
	young := app
	young.Task, young.Created = app.Task+"new", noon.Add(time.Second)
	helper := aged(member("t9", "ecs-csi", 10, 32, 0))
	tests := map[string]reservation.Facts{
		"the size of a whole task goes before its containers": facts([]inventory.Task{listed("t1", "RUNNING", "RUNNING", whole)}, app, log),
		"a task without a size is the sum":                    facts([]inventory.Task{listed("t1", "RUNNING", "RUNNING", none)}, app, log),
		"CPU by its cgroup and memory by its containers":      facts([]inventory.Task{listed("t1", "RUNNING", "RUNNING", limited)}, app, log),
		"a task that is to stop is free for the scheduler":    facts([]inventory.Task{listed("t1", "STOPPED", "RUNNING", whole)}, app, log),
		"a stopped task has no share":                         facts([]inventory.Task{listed("t1", "STOPPED", "STOPPED", whole)}, app, log),
		"a task between two containers counts":                facts([]inventory.Task{listed("t1", "RUNNING", "RUNNING", none)}, in(inventory.Exited, app), in(inventory.Exited, log)),
		"a pending task of an unknown revision":               facts([]inventory.Task{listed("t1", "RUNNING", "PENDING", nil)}),
		"a pending task as the last of its revision":          facts([]inventory.Task{listed("t0", "RUNNING", "PENDING", nil), listed("t1", "RUNNING", "RUNNING", whole)}, app, log),
		"a pending task of known size":                        facts([]inventory.Task{listed("t1", "RUNNING", "PENDING", whole)}, app),
		"the agent's helpers are unmanaged":                   facts([]inventory.Task{listed("t1", "RUNNING", "RUNNING", whole)}, app, helper),
		"a task newer than the list counts":                   facts([]inventory.Task{listed("t1", "RUNNING", "RUNNING", whole)}, app, young),
		"the metadata does not answer":                        facts([]inventory.Task{listed("t1", "RUNNING", "RUNNING", nil)}, app),
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			var book reservation.Book
			book.Compute(f) // so that the second knows all that the first learned
			golden(t, text(book.Compute(f)))
		})
	}
}

func TestAnOldListIsKeptAndMarked(t *testing.T) {
	f := facts([]inventory.Task{listed("t1", "RUNNING", "RUNNING", &inventory.TaskSize{CPU: 512, Memory: 1024, Source: reservation.FromCgroup})},
		aged(member("t1", "app", 256, 512, 0)), member("t2", "app", 100, 200, 0))
	f.Tasks.Fault = "connection refused"
	r := reservation.Compute(f)
	if r.Exact || r.CPU.Reserved != 612 || r.Tasks != 2 || !hasDoubt(r, "connection refused") {
		t.Errorf("got %s, want the listed task, the other as Docker shows it, and a note", text(r))
	}
}

func TestASizeOnceKnownStays(t *testing.T) {
	var book reservation.Book
	size := &inventory.TaskSize{Source: reservation.FromMetadata}
	app, log := aged(member("t1", "app", 256, 512, 0)), aged(member("t1", "log", 64, 64, 0))
	f := facts([]inventory.Task{listed("t1", "RUNNING", "RUNNING", size)}, app, log)
	want := book.Compute(f)
	if !want.Exact || want.CPU.Reserved != 320 {
		t.Fatalf("got %s", text(want))
	}
	f.Containers = f.Containers[:1] // somebody has removed the exited sidecar
	f.Tasks.All[0].Size = nil
	if got := book.Compute(f); !got.Exact || got.CPU.Reserved != 320 || got.Memory.Reserved != 576 {
		t.Errorf("got %s", text(got))
	}
	f.Tasks.All, f.Containers = nil, nil
	if got := book.Compute(f); got.Tasks != 0 || !got.Exact {
		t.Errorf("once the task is gone: %s", text(got))
	}
}

func TestManyShapesAreBounded(t *testing.T) {
	var containers []inventory.Container
	var tasks []inventory.Task
	for i := range reservation.MostShapes + 3 {
		id := string(rune('A' + i))
		tasks = append(tasks, listed(id, "RUNNING", "RUNNING", &inventory.TaskSize{CPU: int64(i + 1), Memory: 1, Source: reservation.FromCgroup}))
		containers = append(containers, aged(member(id, "app", 256, 512, 0)))
	}
	r := reservation.Compute(facts(tasks, containers...))
	if len(r.Shapes) != reservation.MostShapes || !hasDoubt(r, "3 tasks are of shapes") || !r.Exact {
		t.Errorf("got %d shapes, exact %t, notes %v", len(r.Shapes), r.Exact, r.Notes)
	}
}
