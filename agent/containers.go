package agent

import (
	"context"
	"strings"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
)

// Containers returns the containers on the host that match: those of a service,
// with a name, or whose ID begins so; all of them without a match.
func (a *Agent) Containers(_ context.Context, match string) api.Containers {
	s := a.hub.Snapshot()
	answer := api.Containers{Synced: s.Synced, Blind: s.Blind, At: stamp(s.At), Containers: make([]api.Container, 0, len(s.Containers))}
	for _, c := range s.Containers {
		if match != "" && match != c.Service && match != c.Name && !strings.HasPrefix(string(c.ID), match) {
			continue
		}
		answer.Containers = append(answer.Containers, containerOf(c))
	}
	return answer
}

func containerOf(c inventory.Container) api.Container {
	out := api.Container{
		ID: string(c.ID), Name: c.Name, Names: c.Names, Image: c.Image, Service: c.Service, Family: c.Family,
		Task: c.Task, ECS: c.ECS, State: string(c.State), Health: c.Health, ExitCode: c.ExitCode,
		Created: stamp(c.Created), Started: optional(c.Started), Finished: optional(c.Finished), Network: c.NetworkMode,
		Reserved: reservedBy(c), LogFolder: logFolder(c),
	}
	for _, addr := range c.Addresses {
		out.Addresses = append(out.Addresses, addr.String())
	}
	for _, p := range c.Ports {
		out.Ports = append(out.Ports, api.Port{Container: p.Container, Protocol: p.Protocol, HostIP: p.HostAddr.String(), Host: p.Host})
	}
	for _, m := range c.Mounts {
		out.Mounts = append(out.Mounts, api.Mount(m))
	}
	return out
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = stamp(t)
	return &t
}
