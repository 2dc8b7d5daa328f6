package reservation_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/reservation"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const mebi = 1 << 20

var host = reservation.Capacity{CPUs: 4, Memory: 16 << 30, ReservedMemory: 512}

// member is a running container of a task, with sizes in units and MiB.
func member(task, name string, cpu, soft, hard int64) inventory.Container {
	return inventory.Container{
		ID: inventory.ID(task + name), Task: "arn:aws:ecs:eu-west-1:1:task/prod/" + task, ECS: true,
		Name: name, Service: "orders", State: inventory.Running,
		Limits: inventory.Limits{CPUShares: cpu, MemoryReservation: soft * mebi, Memory: hard * mebi},
	}
}

func in(state inventory.State, c inventory.Container) inventory.Container {
	c.State = state
	return c
}

// docker is what Docker alone tells.
func docker(containers []inventory.Container) reservation.Reservation {
	return reservation.Compute(reservation.Facts{Containers: containers, Capacity: host})
}

func foreign(name string, l inventory.Limits) inventory.Container {
	return inventory.Container{ID: inventory.ID(name), Name: name, Service: name, State: inventory.Running, Limits: l}
}

func TestReservation(t *testing.T) {
	tests := map[string][]inventory.Container{
		"an empty host": nil,
		"one container with both limits counts the soft one": {member("t1", "app", 256, 512, 1024)},
		"only a hard limit":                      {member("t1", "app", 256, 0, 1024)},
		"least shares may stand for nothing":     {member("t1", "app", 2, 64, 0), member("t1", "log", 2, 64, 0)},
		"most shares may stand for more":         {member("t1", "app", 262144, 64, 0)},
		"an exited sidecar counts with its task": {in(inventory.Exited, member("t1", "init", 128, 64, 0)), member("t1", "app", 256, 512, 0)},
		"a task that is only created counts":     {in(inventory.Created, member("t1", "app", 256, 512, 0))},
		"a paused one and one that restarts count": {
			in(inventory.Paused, member("t1", "app", 256, 512, 0)), in(inventory.Restarting, member("t2", "app", 128, 64, 0)),
		},
		"a task of which all has ended is gone": {
			in(inventory.Exited, member("t1", "app", 256, 512, 0)), in(inventory.Dead, member("t1", "log", 2, 64, 0)),
			in(inventory.Removing, member("t2", "app", 256, 512, 0)),
		},
		"pause containers have no size":  {member("t1", "app", 256, 512, 0), member("t1", "~internal~ecs~pause-app", 2, 0, 4)},
		"a task that still pulls images": {member("t1", "~internal~ecs~pause", 2, 0, 0)},
		"a container not inspected yet":  {member("t1", "app", 0, 0, 0), member("t1", "log", 32, 64, 0)},
		"containers outside ECS are apart": {
			foreign("redis", inventory.Limits{NanoCPUs: 1_500_000_000, Memory: 256 * mebi}),
			foreign("cron", inventory.Limits{CPUQuota: 20_000}), foreign("fast", inventory.Limits{CPUQuota: 8_000, CPUPeriod: 8_000}),
			foreign("free", inventory.Limits{CPUShares: 1024}),
			in(inventory.Exited, foreign("old", inventory.Limits{Memory: mebi})), member("t1", "app", 256, 512, 0),
		},
	}
	for name, containers := range tests {
		t.Run(name, func(t *testing.T) {
			golden(t, text(docker(containers)))
		})
	}
}

func TestAnUnknownCapacityIsANote(t *testing.T) {
	r := reservation.Compute(reservation.Facts{Capacity: reservation.Capacity{ReservedMemory: 32}})
	if r.CPU.Registered != 0 || r.Memory.Registered != 0 || !strings.Contains(r.Notes[0], "how many CPUs") {
		t.Errorf("got %+v, want nothing registered and a note first", r)
	}
}

// TestTheOrderOfContainersIsOfNoConsequence and the input is left alone.
func TestTheOrderOfContainersIsOfNoConsequence(t *testing.T) {
	containers := []inventory.Container{
		member("t1", "~internal~ecs~pause", 2, 0, 0), member("t1", "log", 2, 64, 0), member("t1", "app", 256, 512, 0), member("t2", "app", 1, 1, 1),
	}
	before := slices.Clone(containers)
	want := text(docker(containers))
	if diff := cmp.Diff(before, containers); diff != "" {
		t.Errorf("the input was changed: %s", diff)
	}
	slices.Reverse(containers)
	if diff := cmp.Diff(want, text(docker(containers))); diff != "" {
		t.Error(diff)
	}
}

// text is a reservation as an operator could read it.
func text(r reservation.Reservation) string {
	var b strings.Builder
	vector := func(name string, v reservation.Vector) {
		fmt.Fprintf(&b, "%-6s %5d reserved, %d scheduled of %d, %d unmanaged\n", name, v.Reserved, v.Scheduled, v.Registered, v.Unmanaged)
	}
	vector("cpu", r.CPU)
	vector("memory", r.Memory)
	vector("gpu", r.GPU)
	fmt.Fprintf(&b, "tasks %d, pending %d, stopping %d, unknown %d, err cpu %d, exact %t, ports %v, source %s\n",
		r.Tasks, r.Pending, r.Stopping, r.Unknown, r.ErrCPU, r.Exact, r.Ports, r.Source)
	for _, s := range r.Shares {
		fmt.Fprintf(&b, "- %s %s%s %s %s %v: %d units, %d MiB, %d GPUs, ports %v, exact %t: %s\n",
			s.Task, s.Service, named(s.ECSService), s.Family, s.Status, s.Containers, s.CPU, s.Memory, s.GPU, s.Ports, s.Exact, s.Why)
	}
	for _, s := range r.Shapes {
		fmt.Fprintf(&b, "= %d × %s%s %s: %d units, %d MiB, %d GPUs, ports %v\n", s.Tasks, s.Service, named(s.ECSService), s.Family, s.CPU, s.Memory, s.GPU, s.Ports)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "* %s\n", n)
	}
	return b.String()
}

// named is a service's name in ECS, behind its name here.
func named(service string) string {
	if service == "" {
		return ""
	}
	return "/" + service
}

// golden compares with the file named after the test.
func golden(t *testing.T, got string) {
	t.Helper()
	_, name, _ := strings.Cut(t.Name(), "/")
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}
