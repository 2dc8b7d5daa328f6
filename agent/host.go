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
	at := jmxmp.Host{Address: g.host.Address, Private: g.host.Private}
	return jmxmp.Mappings(s.Containers, at, uint16(g.loaded.Config.Publish.JMXMPPort))
}

// reservation returns what the containers of a snapshot have reserved.
func (g *generation) reservation(s inventory.Snapshot) reservation.Reservation {
	return reservation.Compute(s.Containers, g.capacity(s))
}

// capacity is what this host registers: all that Docker sees, less what the
// ECS agent is told to keep.
func (g *generation) capacity(s inventory.Snapshot) reservation.Capacity {
	return reservation.Capacity{CPUs: s.Engine.CPUs, Memory: s.Engine.Memory, ReservedMemory: g.host.ReservedMemory}
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

// Reservation returns what this host has registered and reserved, and each
// task's part in it.
func (a *Agent) Reservation(context.Context) api.Reservation {
	r := a.generation().reservation(a.hub.Snapshot())
	answer := api.Reservation{
		CPU: api.Vector(r.CPU), Memory: api.Vector(r.Memory), Exact: r.Exact, Source: r.Source, Notes: r.Notes,
		Tasks: make([]api.TaskReservation, 0, len(r.Shares)),
	}
	for _, s := range r.Shares {
		answer.Tasks = append(answer.Tasks, api.TaskReservation(s))
	}
	return answer
}

// reservedBy is what one container has reserved by its own settings alone.
func reservedBy(c inventory.Container) api.Reserved {
	r := reservation.Compute([]inventory.Container{c}, reservation.Capacity{})
	return api.Reserved{CPU: r.CPU.Reserved + r.CPU.Unmanaged, Memory: r.Memory.Reserved + r.Memory.Unmanaged}
}
