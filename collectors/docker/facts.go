package docker

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/berth-dev/berth/collectors/inventory"
)

// fromList turns the Engine's answer into containers sorted by ID. A whole ID
// is what everything else rests on: an answer with a malformed or repeated one
// is worth nothing as a whole. Of the labels the kept ones stay with their
// container.
func fromList(list []container.Summary, serviceLabel string, kept ...string) ([]inventory.Container, error) {
	if list == nil {
		return nil, errors.New("the answer holds no list")
	}
	all := make([]inventory.Container, 0, len(list))
	for _, s := range list {
		if !inventory.ID(s.ID).Valid() {
			return nil, fmt.Errorf("the answer holds a malformed ID %q", s.ID)
		}
		all = append(all, fromSummary(s, serviceLabel, kept))
	}
	slices.SortFunc(all, func(a, b inventory.Container) int { return cmp.Compare(a.ID, b.ID) })
	for i := range all[min(1, len(all)):] {
		if all[i].ID == all[i+1].ID {
			return nil, fmt.Errorf("the answer holds container %s twice", all[i].ID)
		}
	}
	return all, nil
}

// fromSummary takes from a list entry all that it tells.
func fromSummary(s container.Summary, serviceLabel string, kept []string) inventory.Container {
	c := inventory.Container{
		ID:          inventory.ID(s.ID),
		Names:       ownFirst(s.Names),
		Image:       s.Image,
		ImageID:     s.ImageID,
		State:       inventory.State(s.State),
		Health:      health(s.Status),
		Created:     time.Unix(s.Created, 0),
		NetworkMode: s.HostConfig.NetworkMode,
		Mounts:      mounts(s.Mounts),
		Labels:      keep(s.Labels, kept),
	}
	label(&c, s.Labels, serviceLabel)
	if hasNetwork(c.State) {
		c.Ports = ports(s.Ports)
		if s.NetworkSettings != nil {
			c.Addresses = addresses(s.NetworkSettings.Networks)
		}
	}
	return c
}

// hasNetwork reports whether a container in this state has ports and
// addresses. Docker still shows those of one that ended when the Engine did.
func hasNetwork(s inventory.State) bool { return s == inventory.Running || s == inventory.Paused }

// ownFirst strips the slashes and puts the container's own name before its
// aliases from links, which have a second slash.
func ownFirst(names []string) []string {
	own := make([]string, 0, len(names))
	for _, n := range names {
		own = append(own, strings.TrimPrefix(n, "/"))
	}
	slices.SortStableFunc(own, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/")), cmp.Compare(a, b))
	})
	return own
}

// health finds the health in a list's status text: "Up 2 hours (healthy)".
func health(status string) string {
	_, text, _ := strings.Cut(status, "(")
	switch strings.TrimSuffix(text, ")") {
	case "healthy":
		return container.Healthy
	case "unhealthy":
		return container.Unhealthy
	case "health: starting":
		return container.Starting
	}
	return ""
}

// addresses are those on all networks, sorted.
func addresses(networks map[string]*network.EndpointSettings) []netip.Addr {
	var all []netip.Addr
	for _, e := range networks {
		if e == nil {
			continue
		}
		for _, text := range []string{e.IPAddress, e.GlobalIPv6Address} {
			if a, err := netip.ParseAddr(text); err == nil {
				all = append(all, a.Unmap())
			}
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// ports are the published ones, sorted. Docker lists a port that is published
// on all addresses twice, for IPv4 and IPv6; where both have the same host port
// they are one.
func ports(list []container.Port) []inventory.Port {
	var all []inventory.Port
	for _, p := range list {
		if p.PublicPort == 0 {
			continue // exposed, not published
		}
		addr, err := netip.ParseAddr(cmp.Or(p.IP, "0.0.0.0"))
		if err != nil {
			continue
		}
		all = append(all, inventory.Port{Container: p.PrivatePort, Protocol: p.Type, HostAddr: addr.Unmap(), Host: p.PublicPort})
	}
	slices.SortFunc(all, func(a, b inventory.Port) int {
		return cmp.Or(cmp.Compare(a.Container, b.Container), cmp.Compare(a.Protocol, b.Protocol),
			cmp.Compare(a.Host, b.Host), a.HostAddr.Compare(b.HostAddr)) // 0.0.0.0 sorts before ::
	})
	return slices.CompactFunc(all, func(a, b inventory.Port) bool {
		both := a.HostAddr == b.HostAddr || a.HostAddr.IsUnspecified() && b.HostAddr.IsUnspecified()
		return both && a.Container == b.Container && a.Protocol == b.Protocol && a.Host == b.Host
	})
}

// mounts are sorted by where the container sees them.
func mounts(list []container.MountPoint) []inventory.Mount {
	var all []inventory.Mount
	for _, m := range list {
		all = append(all, inventory.Mount{
			Type: string(m.Type), Volume: m.Name, Source: m.Source, Destination: m.Destination, ReadOnly: !m.RW,
		})
	}
	slices.SortFunc(all, func(a, b inventory.Mount) int { return cmp.Compare(a.Destination, b.Destination) })
	return all
}
