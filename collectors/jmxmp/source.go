package jmxmp

import (
	"net/netip"
	"slices"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A source is where one container's ports are found, by the way its network is
// made.
type source struct {
	ports []inventory.Port
	// own is the address of its task's own interface, where its ports are not
	// the host's; ownNetwork without it is an address that is not known.
	own        netip.Addr
	ownNetwork bool
}

// sourceOf finds a container's ports. Docker lists none for one that shares
// another's network:
//
//   - in the host's, and in that of an awsvpc task, which has an interface of
//     its own, a declared port is reached as it is;
//   - with ECS Service Connect in bridge mode, a pause container has been given
//     the bindings of one container of its task.
func sourceOf(c inventory.Container, all []inventory.Container, at Host) source {
	if c.NetworkMode == "host" {
		return source{ports: direct(c)}
	}
	pause, has := pauseOf(c, all)
	switch {
	case !has:
		return source{ports: c.Ports}
	case pause.Holds() == "" && (pause.NetworkMode == "none" || at.Tasks[c.Task].IsValid()):
		return source{ports: direct(c), own: at.Tasks[c.Task], ownNetwork: true}
	default:
		return source{ports: slices.Concat(c.Ports, pause.Ports)}
	}
}

// direct are the declared ports of a container that no port is mapped for.
func direct(c inventory.Container) []inventory.Port {
	ports := make([]inventory.Port, 0, len(c.Declared))
	for _, p := range c.Declared {
		ports = append(ports, inventory.Port{Container: p.Container, Protocol: p.Protocol, HostAddr: netip.IPv4Unspecified(), Host: p.Container})
	}
	return slices.Compact(ports)
}

// pauseOf finds the pause container that holds a container's network: by its
// ID, or by its name in the same task. A container that is its own network has
// none, even if its task has.
func pauseOf(c inventory.Container, all []inventory.Container) (inventory.Container, bool) {
	for _, p := range all {
		if c.Task == "" || !p.Pause() || p.Task != c.Task || p.State != inventory.Running {
			continue
		}
		if c.NetworkMode == "container:"+string(p.ID) || p.Holds() == c.Name {
			return p, true
		}
	}
	return inventory.Container{}, false
}
