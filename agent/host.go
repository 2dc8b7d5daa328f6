package agent

import (
	"context"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
	"github.com/berth-dev/berth/collectors/identity"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/jmxmp"
	"github.com/berth-dev/berth/collectors/reservation"
)

// host finds out who this host is. It asks files only, so it may be asked at
// each start of a generation.
func (a *Agent) host(c config.Host) identity.Host {
	host, err := identity.Reader{ID: c.ID, Cluster: c.Cluster}.Read()
	if err != nil {
		a.log.Warn("identify host", "err", err)
		host.ID = "unknown"
	}
	return host
}

// mappings returns the published ports of the containers of a snapshot.
func (g *generation) mappings(s inventory.Snapshot) []jmxmp.Mapping {
	at := jmxmp.Host{Address: g.host.Address, Private: g.host.Private, Tasks: g.tasks().Addresses()}
	return jmxmp.Mappings(s.Containers, at, uint16(g.loaded.Config.Publish.JMXMPPort))
}

// reservation returns what the containers of a snapshot have reserved.
func (g *generation) reservation(s inventory.Snapshot) reservation.Reservation {
	return g.agent.book.Compute(reservation.Facts{Containers: s.Containers, Tasks: g.tasks(), Capacity: g.capacity(s)})
}

// capacity is what this host registers: all that Docker sees, less what the
// ECS agent is told to keep.
func (g *generation) capacity(s inventory.Snapshot) reservation.Capacity {
	return reservation.Capacity{CPUs: s.Engine.CPUs, Memory: s.Engine.Memory, ReservedMemory: g.host.ReservedMemory, GPUs: g.host.GPUs}
}

// Portmaps returns the published ports, JMXMP's first.
func (a *Agent) Portmaps(context.Context) []api.Portmap {
	g := a.generation()
	mappings := g.mappings(a.hub.Snapshot())
	all := make([]api.Portmap, 0, len(mappings))
	for _, m := range mappings {
		p := api.Portmap{
			Service: m.Service, Instance: m.Instance, Container: m.Container, ID: string(m.ID), Task: m.Task,
			Port: m.Port, Protocol: m.Protocol, HostPort: m.HostPort, Name: m.Name, URL: m.URL,
		}
		if m.Addr.IsValid() {
			p.HostIP = m.Addr.String()
		}
		all = append(all, p)
	}
	return all
}

// tasks is what the ECS agent says at the moment.
func (g *generation) tasks() inventory.Tasks {
	tasks, _ := g.ecs.Watch()
	return tasks
}

// Reservation returns what this host has registered and reserved, and each
// task's part in it.
func (a *Agent) Reservation(context.Context) api.Reservation {
	r := a.generation().reservation(a.hub.Snapshot())
	answer := api.Reservation{
		CPU: api.Vector(r.CPU), Memory: api.Vector(r.Memory), GPU: api.Vector(r.GPU), Ports: portsOf(r.Ports),
		Pending: r.Pending, Stopping: r.Stopping, Unknown: r.Unknown, ErrCPU: r.ErrCPU,
		Exact: r.Exact, Source: r.Source, Notes: r.Notes,
		Tasks: make([]api.TaskReservation, 0, len(r.Shares)),
	}
	for _, s := range r.Shares {
		answer.Tasks = append(answer.Tasks, api.TaskReservation{
			Task: s.Task, Service: s.Service, ECSService: s.ECSService, Family: s.Family, Status: s.Status, Containers: s.Containers,
			CPU: s.CPU, Memory: s.Memory, GPU: s.GPU, Ports: portsOf(s.Ports), Exact: s.Exact, Why: s.Why,
		})
	}
	return answer
}

func portsOf(all []reservation.Port) []string {
	ports := make([]string, 0, len(all))
	for _, p := range all {
		ports = append(ports, p.String())
	}
	return ports
}

// reservedBy is what one container has reserved by its own settings alone.
func reservedBy(c inventory.Container) api.Reserved {
	r := reservation.Compute(reservation.Facts{Containers: []inventory.Container{c}})
	return api.Reserved{CPU: r.CPU.Reserved + r.CPU.Unmanaged, Memory: r.Memory.Reserved + r.Memory.Unmanaged}
}
