package reservation_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/reservation"
)

// A definition is what a task definition says: what the ECS agent counts from,
// and what this package never sees.
type definition struct {
	family      string
	cpu, memory int64 // of the whole task, units and MiB; 0: none
	awsvpc      bool
	connect     bool // Service Connect in bridge mode: pause containers hold the ports
	containers  []part
}

type part struct {
	cpu, soft, hard int64 // units, MiB
	gpus            int
	ports           []uint16 // host ports; 0: Docker chooses
}

// toHostResources is the ECS agent's own rule, in its own words: the size of the
// task takes precedence over the sum of its containers, soft limits over hard
// ones, and only host ports that are given count, but in awsvpc mode.
func (d definition) toHostResources() (cpu, memory, gpu int64, ports []uint16) {
	if d.cpu > 0 {
		cpu = d.cpu
	} else {
		for _, c := range d.containers {
			cpu += c.cpu
		}
	}
	if d.memory > 0 {
		memory = d.memory
	} else {
		for _, c := range d.containers {
			if c.soft > 0 {
				memory += c.soft
			} else {
				memory += c.hard
			}
		}
	}
	for _, c := range d.containers {
		gpu += int64(c.gpus)
		for _, p := range c.ports {
			if p > 0 && !d.awsvpc {
				ports = append(ports, p)
			}
		}
	}
	return cpu, memory, gpu, ports
}

// A mix is one host's tasks, and what they show.
type mix struct {
	*rand.Rand
	facts  reservation.Facts
	counts []definition // of tasks that have not stopped
	keeps  []definition // of those, the ones that are not to stop
}

// one of the choices.
func one[T any](m *mix, choices ...T) T { return choices[m.IntN(len(choices))] }

func (m *mix) definition(n int) definition {
	d := definition{family: fmt.Sprintf("f%d:%d", n, m.IntN(9)+1), awsvpc: m.IntN(5) == 0}
	d.connect = !d.awsvpc && m.IntN(5) == 0
	d.cpu, d.memory = one[int64](m, 0, 0, 100, 256, 4096), one[int64](m, 0, 0, 512, 3072)
	for range m.IntN(4) + 1 {
		c := part{cpu: one[int64](m, 0, 1, 2, 3, 10, 128, 512, 262144, 300000), gpus: one(m, 0, 0, 0, 1, 2)}
		c.soft, c.hard = one[int64](m, 0, 0, 6, 64, 512), one[int64](m, 4, 5, 128, 1024)
		if m.IntN(3) == 0 {
			c.hard = max(c.hard, c.soft)
		}
		for range m.IntN(3) {
			c.ports = append(c.ports, one(m, 0, uint16(m.IntN(1000)+8000)))
		}
		d.containers = append(d.containers, c)
	}
	return d
}

// place puts a task on the host, as the ECS agent and Docker would show it.
func (m *mix) place(n int) {
	d := m.definition(n)
	t := inventory.Task{ARN: fmt.Sprintf("arn:aws:ecs:eu-west-1:1:task/prod/%032x", n), Family: d.family}
	t.Desired, t.Known = inventory.TaskRunning, inventory.TaskRunning
	switch m.IntN(6) {
	case 0:
		t.Desired = inventory.TaskStopped
	case 1:
		t.Desired, t.Known = inventory.TaskStopped, inventory.TaskStopped
	}
	t.Size = &inventory.TaskSize{CPU: d.cpu, Memory: d.memory, Source: one(m, reservation.FromMetadata, reservation.FromCgroup)}
	if t.Size.Source == reservation.FromMetadata {
		t.Size.Containers = map[inventory.ID]inventory.ContainerSize{}
		if d.awsvpc {
			t.Size.Addresses = append(t.Size.Addresses, lo)
		}
	}
	for i, c := range d.containers {
		m.run(t, d, c, fmt.Sprintf("c%d", i))
	}
	if d.awsvpc {
		m.pause(t, "", nil)
	}
	m.facts.Tasks.All = append(m.facts.Tasks.All, t)
	if t.Known == inventory.TaskStopped {
		return
	}
	m.counts = append(m.counts, d)
	if t.Desired != inventory.TaskStopped {
		m.keeps = append(m.keeps, d)
	}
}

// run adds a container with what Docker is told: CPU shares from 2 to 262144,
// no hard limit below 4 MiB.
func (m *mix) run(t inventory.Task, d definition, p part, name string) {
	c := inventory.Container{
		ID: inventory.ID(t.ARN + name), Task: t.ARN, Family: t.Family, Name: name, Service: "s", ECS: true,
		State: one(m, inventory.Running, inventory.Running, inventory.Exited, inventory.Paused), Created: noon.Add(-time.Hour),
	}
	c.Limits = inventory.Limits{
		CPUShares: min(max(p.cpu, 2), 262144), Memory: max(p.hard, 4) * mebi, MemoryReservation: p.soft * mebi, GPUs: p.gpus,
	}
	if t.Size.Containers != nil {
		t.Size.Containers[c.ID] = inventory.ContainerSize{CPU: max(p.cpu, 2), Memory: p.hard}
	}
	var ports []inventory.Port
	for _, host := range p.ports {
		if !d.awsvpc {
			ports = append(ports, inventory.Port{Container: host + 1, Protocol: "tcp", Host: host})
		}
	}
	if d.connect {
		m.pause(t, "-"+name, ports)
	} else {
		c.Declared = ports
	}
	m.facts.Containers = append(m.facts.Containers, c)
}

func (m *mix) pause(t inventory.Task, suffix string, ports []inventory.Port) {
	c := member("", "~internal~ecs~pause"+suffix, 2, 0, 4)
	c.ID, c.Task, c.Family, c.Declared, c.NetworkMode = inventory.ID(t.ARN+"~"+suffix), t.ARN, t.Family, ports, "bridge"
	c.Created = noon.Add(-time.Hour)
	if suffix == "" {
		c.NetworkMode = "none"
	}
	m.facts.Containers = append(m.facts.Containers, c)
}

// total adds up what the ECS agent counts.
func total(definitions []definition) (cpu, memory, gpu int64, ports []uint16) {
	for _, d := range definitions {
		c, m, g, p := d.toHostResources()
		cpu, memory, gpu, ports = cpu+c, memory+m, gpu+g, append(ports, p...)
	}
	slices.Sort(ports)
	return cpu, memory, gpu, slices.Compact(ports)
}

// The figures are the ECS agent's. Where they may not be, they say so, and by
// how much CPU may be too high.
func TestGeneratedMixesEqualTheECSAgentsRule(t *testing.T) {
	exact, bounded := 0, 0
	for seed := range uint64(2000) {
		m := &mix{Rand: rand.New(rand.NewPCG(seed, 1))}
		m.facts.Capacity, m.facts.Tasks.Taken = host, noon
		for n := range m.IntN(12) {
			m.place(n)
		}
		got := reservation.Compute(m.facts)
		cpu, memory, gpu, ports := total(m.counts)
		keepCPU, keepMemory, keepGPU, _ := total(m.keeps)
		if got.GPU.Reserved != gpu || got.GPU.Scheduled != keepGPU || got.Tasks != len(m.counts) || got.Stopping != len(m.counts)-len(m.keeps) {
			t.Fatalf("mix %d: got %+v, want %d of %d GPUs and %d of %d tasks", seed, got, keepGPU, gpu, len(m.keeps), len(m.counts))
		}
		var numbers []uint16
		for _, p := range got.Ports {
			numbers = append(numbers, p.Number)
		}
		if !slices.Equal(numbers, ports) {
			t.Fatalf("mix %d: got ports %v, want %v", seed, numbers, ports)
		}
		over, under := got.CPU.Reserved-cpu, got.CPU.Scheduled-keepCPU
		switch {
		case got.Exact:
			exact++
			if over != 0 || under != 0 || got.Memory.Reserved != memory || got.Memory.Scheduled != keepMemory {
				t.Fatalf("mix %d is called exact: got CPU %+v and memory %+v, want %d, %d, %d, %d\n%s", seed, got.CPU, got.Memory, cpu, keepCPU, memory, keepMemory, text(got))
			}
		case !hasDoubt(got, "may stand for"):
			bounded++
			if over < 0 || over > got.ErrCPU || under < 0 || under > got.ErrCPU || got.Memory.Reserved != memory || got.Memory.Scheduled != keepMemory {
				t.Fatalf("mix %d: got CPU %+v, err %d, and memory %+v, want %d, %d, %d, %d", seed, got.CPU, got.ErrCPU, got.Memory, cpu, keepCPU, memory, keepMemory)
			}
		}
	}
	if exact < 500 || bounded < 500 {
		t.Errorf("%d exact and %d bounded mixes, want 500 of each", exact, bounded)
	}
	t.Logf("%d mixes exact, %d with CPU bounded, %d clipped by Docker and marked", exact, bounded, 2000-exact-bounded)
}
