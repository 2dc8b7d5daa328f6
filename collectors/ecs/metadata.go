package ecs

import (
	"context"
	"fmt"
	"math"
	"net/netip"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A description is what the metadata endpoint tells of a task, as far as it is
// wanted. No Limits mean that the task definition has none for the whole task.
type description struct {
	TaskARN     string
	ServiceName string
	Limits      struct {
		CPU    float64 // vCPUs
		Memory int64   // MiB
	}
	Containers []described
}

type described struct {
	DockerID string `json:"DockerId"`
	Limits   struct {
		CPU    float64 // units; 0 is told as 2
		Memory int64   // MiB
	}
	Networks []struct {
		NetworkMode   string
		IPv4Addresses []string
		IPv6Addresses []string
	}
}

// describe asks for one task, by the ID of any of its containers. An answer
// about another task is an error: the ID comes from inside the container.
func (s server) describe(ctx context.Context, arn, id string) (description, error) {
	var d description
	if err := s.get(ctx, "/v4/"+id+"/task", &d); err != nil {
		return description{}, err
	}
	if d.TaskARN != arn {
		return description{}, fmt.Errorf("ask for the metadata of task %s: they are about %q", arn, d.TaskARN)
	}
	return d, nil
}

// size is what a description says about it.
func (d description) size() *inventory.TaskSize {
	s := &inventory.TaskSize{
		CPU: units(d.Limits.CPU * 1024), Memory: max(0, d.Limits.Memory), Source: inventory.FromMetadata,
		Containers: map[inventory.ID]inventory.ContainerSize{},
	}
	for _, c := range d.Containers {
		s.Containers[inventory.ID(c.DockerID)] = inventory.ContainerSize{CPU: units(c.Limits.CPU), Memory: max(0, c.Limits.Memory)}
		for _, n := range c.Networks {
			if n.NetworkMode != "awsvpc" || len(s.Addresses) > 0 {
				continue // all containers of a task show the same interface
			}
			for _, text := range append(n.IPv4Addresses, n.IPv6Addresses...) {
				if a, err := netip.ParseAddr(text); err == nil {
					s.Addresses = append(s.Addresses, a)
				}
			}
		}
	}
	return s
}

// units rounds to whole CPU units; nonsense is none.
func units(n float64) int64 {
	if !(n > 0) || n > math.MaxInt32 {
		return 0
	}
	return int64(math.Round(n))
}
