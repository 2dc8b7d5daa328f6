package publish

import (
	"strings"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/collectors/identity"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/jmxmp"
	"github.com/berth-dev/berth/collectors/reservation"
)

// desired is the record that a picture calls for; false if it calls for none.
// P2: a picture that is out of date is still the best there is, and says so.
func (p *Publisher) desired(now inventory.Snapshot) (store.Record, bool) {
	host, kept := p.host()
	r := kept
	if now.Synced {
		r = record(host, now, p.JMXMPPort)
	}
	if now.Blind != "" {
		r.State = store.DockerDown
	}
	return r, r.V != 0
}

// host is who this host is, under the name with which Run began and with the
// last address it was known to have: a network that is going down takes no
// mapping away.
func (p *Publisher) host() (identity.Host, store.Record) {
	h := p.Identity()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.key != (store.Key{}) {
		h.Cluster, h.ID = p.key.Cluster, p.key.Host
	}
	if h.Address.IsValid() {
		p.address = h.Address
	}
	h.Address = p.address
	return h, p.kept
}

// reachable reports whether the host's address is known.
func (p *Publisher) reachable() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.address.IsValid()
}

// record says what a complete picture shows.
func record(host identity.Host, now inventory.Snapshot, jmxmpPort uint16) store.Record {
	r := store.Record{
		V: store.Version, Host: host.ID, Cluster: host.Cluster, IP: host.Address, Boot: host.Boot, State: store.OK,
		Reservation: reserved(reservation.Compute(now.Containers, reservation.Capacity{
			CPUs: now.Engine.CPUs, Memory: now.Engine.Memory, ReservedMemory: host.ReservedMemory,
		})),
	}
	at := jmxmp.Host{Address: host.Address, Private: host.Private}
	for _, m := range jmxmp.Mappings(now.Containers, at, jmxmpPort) {
		r.Mappings = append(r.Mappings, mapping(m))
	}
	return r
}

func mapping(m jmxmp.Mapping) store.Mapping {
	out := store.Mapping{
		Service: m.Service, Instance: m.Instance, Family: m.Family, Task: taskID(m.Task), Container: m.Container,
		ID: m.ID.Short(), Port: m.Port, Protocol: m.Protocol, IP: m.Addr, HostPort: m.HostPort,
		Local: m.Local, Paused: m.Paused, Name: m.Name, URL: m.URL, Health: m.Health,
	}
	if !m.Started.IsZero() {
		out.Since = m.Started.Unix()
	}
	return out
}

// taskID is the end of a task's ARN.
func taskID(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// reserved: Docker alone does not tell tasks that are stopping from others, so
// the control plane's view and the ECS agent's are one.
func reserved(r reservation.Reservation) *store.Reservation {
	vector := func(v reservation.Vector) store.Vector {
		return store.Vector{Registered: v.Registered, Scheduled: v.Reserved, Host: v.Reserved, Unmanaged: v.Unmanaged}
	}
	return &store.Reservation{
		CPU: vector(r.CPU), Memory: vector(r.Memory), Tasks: r.Tasks, Unknown: r.Unknown, ErrCPU: r.ErrCPU,
		Exact: r.Exact, Source: r.Source,
	}
}
