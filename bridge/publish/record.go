package publish

import (
	"cmp"
	"strings"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/collectors/identity"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/jmxmp"
	"github.com/berth-dev/berth/collectors/reservation"
)

// desired is the record that a picture calls for; false if it calls for none.
// P2: a picture that is out of date is still the best there is, and says so.
func (p *Publisher) desired(now inventory.Snapshot, tasks inventory.Tasks) (store.Record, bool) {
	host, kept := p.host()
	r := kept
	if now.Synced {
		r = fit(p.record(host, now, tasks))
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
func (p *Publisher) record(host identity.Host, now inventory.Snapshot, tasks inventory.Tasks) store.Record {
	r := store.Record{
		V: store.Version, Host: host.ID, Cluster: host.Cluster, Instance: tasks.Instance, IP: host.Address, Boot: host.Boot, State: store.OK,
		Reservation: reserved(cmp.Or(p.Book, &p.book).Compute(reservation.Facts{
			Containers: now.Containers, Tasks: tasks, Capacity: reservation.Capacity{
				CPUs: now.Engine.CPUs, Memory: now.Engine.Memory, ReservedMemory: host.ReservedMemory, GPUs: host.GPUs,
			},
		})),
	}
	at := jmxmp.Host{Address: host.Address, Private: host.Private, Tasks: tasks.Addresses()}
	for _, m := range jmxmp.Mappings(now.Containers, at, p.JMXMPPort) {
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

func reserved(r reservation.Reservation) *store.Reservation {
	vector := func(v reservation.Vector) store.Vector {
		return store.Vector{Registered: v.Registered, Scheduled: v.Scheduled, Host: v.Reserved, Unmanaged: v.Unmanaged}
	}
	out := &store.Reservation{
		CPU: vector(r.CPU), Memory: vector(r.Memory), GPU: vector(r.GPU),
		Tasks: r.Tasks, Pending: r.Pending, Stopping: r.Stopping, Unknown: r.Unknown, ErrCPU: r.ErrCPU,
		Exact: r.Exact, Source: r.Source, Ports: ports(r.Ports),
	}
	for _, s := range r.Shapes {
		out.Shapes = append(out.Shapes, store.Shape{
			Service: s.Service, ECS: s.ECSService, Family: s.Family, CPU: s.CPU, Memory: s.Memory, GPU: s.GPU, Ports: ports(s.Ports), Tasks: s.Tasks,
		})
	}
	return out
}

func ports(all []reservation.Port) []string {
	var out []string
	for _, p := range all {
		out = append(out, p.String())
	}
	return out
}
