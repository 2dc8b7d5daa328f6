package docker

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A detail is what only an inspect tells of a container.
type detail struct {
	Image    string // as it was named at creation: the list shows an ID once the name has moved on
	Service  string // with that image
	Created  time.Time
	Started  time.Time
	Finished time.Time
	ExitCode int
	PID      int // 0: it has no process
	Limits   inventory.Limits
	Declared []inventory.Port
	Metadata string // see metadataID
	look     string // see lookOf
}

// fromInspect reads the Engine's answer.
func fromInspect(r container.InspectResponse, serviceLabel string) (detail, error) {
	if r.ContainerJSONBase == nil || r.State == nil || r.HostConfig == nil || r.Config == nil {
		return detail{}, errors.New("the answer lacks a section")
	}
	now := inventory.Container{State: inventory.State(r.State.Status)}
	if now.State == inventory.Running && r.State.Health != nil && r.State.Health.Status != container.NoHealthcheck {
		now.Health = r.State.Health.Status
	}
	if hasNetwork(now.State) && r.NetworkSettings != nil {
		now.Addresses = addresses(r.NetworkSettings.Networks)
	}
	name := cmp.Or(strings.TrimPrefix(r.Name, "/"), inventory.ID(r.ID).Short())
	d := detail{
		look:     lookOf(now),
		Image:    r.Config.Image,
		Service:  service(r.Config.Labels, serviceLabel, r.Config.Image, name),
		Created:  moment(r.Created),
		Started:  moment(r.State.StartedAt),
		Finished: moment(r.State.FinishedAt),
		ExitCode: r.State.ExitCode,
		Declared: declared(r.HostConfig.PortBindings, r.Config.ExposedPorts),
		Metadata: metadataID(r.Config.Env),
		PID:      r.State.Pid,
		Limits: inventory.Limits{
			CPUShares: r.HostConfig.CPUShares, NanoCPUs: r.HostConfig.NanoCPUs,
			CPUQuota: r.HostConfig.CPUQuota, CPUPeriod: r.HostConfig.CPUPeriod,
			Memory: r.HostConfig.Memory, MemoryReservation: r.HostConfig.MemoryReservation,
			CgroupParent: r.HostConfig.CgroupParent, GPUs: gpus(r.HostConfig.DeviceRequests, r.Config.Env),
		},
	}
	// Docker remembers the end of the run before; this one has none yet.
	if r.State.Running && !r.State.Restarting || d.Finished.Before(d.Started) {
		d.Finished = time.Time{}
	}
	return d, nil
}

// addTo completes a container from a list.
func (d detail) addTo(c *inventory.Container) {
	c.Image, c.Service = cmp.Or(d.Image, c.Image), cmp.Or(d.Service, c.Service)
	c.Started, c.Finished, c.ExitCode, c.Limits = d.Started, d.Finished, d.ExitCode, d.Limits
	c.Declared, c.MetadataID = d.Declared, d.Metadata
	// The list may be newer, and then the process is another's or nobody's.
	if hasNetwork(c.State) {
		c.PID = d.PID
	}
	if !d.Created.IsZero() {
		c.Created = d.Created
	}
}

// moment reads one of Docker's times; its zero, year 1, and nonsense are zero.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.Local()
}
