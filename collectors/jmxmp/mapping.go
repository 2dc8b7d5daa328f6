package jmxmp

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// Name is the [Mapping.Name] of a JMXMP port.
const Name = "jmxmp"

// DefaultPort is where JMXMP servers listen inside their containers.
const DefaultPort = 5555

// A Host is what decides how published ports are reached from other hosts.
type Host struct {
	Address netip.Addr   // where other hosts reach this one; invalid if unknown
	Private []netip.Addr // addresses that only this host and its containers reach, such as docker0's
	// Tasks are the addresses of ECS tasks that have a network interface of
	// their own, by ARN: awsvpc mode.
	Tasks map[string]netip.Addr
}

// A Mapping is one published port of one container.
type Mapping struct {
	Service   string
	Instance  int    // position among the service's instances on this host, oldest first, from 1
	Family    string // ECS task definition family and revision; may be empty
	Task      string // ECS task ARN; empty outside ECS
	Container string // name in the task definition or compose file
	ID        inventory.ID
	Started   time.Time // zero: not known yet
	Health    string
	Paused    bool // the container is frozen: connections are accepted and not answered

	Port     uint16 // inside the container
	Protocol string // tcp, udp or sctp
	Bound    netip.Addr
	Addr     netip.Addr // where other hosts reach it; invalid if they do not, or the host's address is unknown
	HostPort uint16
	Local    bool   // bound so that other hosts cannot reach it
	Name     string // "jmxmp" or empty
	URL      string // JMX service URL; empty for other ports, and without Addr
}

// Mappings returns the ports at which containers are reached, JMXMP's (port inside the container,
// over TCP; 0 means 5555) before all others, then by service, instance,
// container and port.
func Mappings(containers []inventory.Container, at Host, port uint16) []Mapping {
	port = cmp.Or(port, DefaultPort)
	number := instances(containers)
	var all []Mapping
	for _, c := range containers {
		if !counts(c) {
			continue
		}
		from := sourceOf(c, containers, at)
		for _, p := range from.ports {
			if !from.ownNetwork && shadowed(p, from.ports, at.Address) {
				continue
			}
			m := mapping(c, p, at)
			if from.ownNetwork {
				m.Addr, m.Local = from.own, false
			}
			m.Instance = number[instance(c)]
			if p.Container == port && p.Protocol == "tcp" {
				m.Name, m.URL = Name, serviceURL(m.Addr, m.HostPort)
			}
			all = append(all, m)
		}
	}
	slices.SortFunc(all, compare)
	return all
}

// counts reports whether a container can have mappings.
func counts(c inventory.Container) bool {
	return (c.State == inventory.Running || c.State == inventory.Paused) && !c.Pause()
}

func mapping(c inventory.Container, p inventory.Port, at Host) Mapping {
	m := Mapping{
		Service: c.Service, Family: c.Family, Task: c.Task, Container: c.Name, ID: c.ID,
		Started: c.Started, Health: c.Health, Paused: c.State == inventory.Paused,
		Port: p.Container, Protocol: p.Protocol, Bound: p.HostAddr, HostPort: p.Host,
	}
	m.Addr, m.Local = reach(p.HostAddr, at)
	return m
}

// compare orders mappings as they are shown.
func compare(a, b Mapping) int {
	return cmp.Or(
		-cmp.Compare(a.Name, b.Name), // the named one first
		cmp.Compare(a.Service, b.Service), cmp.Compare(a.Instance, b.Instance),
		cmp.Compare(a.Container, b.Container), cmp.Compare(a.ID, b.ID),
		cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol),
		a.Bound.Compare(b.Bound), cmp.Compare(a.HostPort, b.HostPort),
	)
}
