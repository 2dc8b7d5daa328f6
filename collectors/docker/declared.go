package docker

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"

	"github.com/berth-dev/berth/collectors/inventory"
)

// declared are the ports that a container was created with: those to publish,
// and those that are only exposed. Whether anything listens there, Docker does
// not know.
func declared(bindings nat.PortMap, exposed nat.PortSet) []inventory.Port {
	var all []inventory.Port
	for port, hosts := range bindings {
		for _, h := range hosts {
			host, _ := strconv.ParseUint(h.HostPort, 10, 16) // empty, or a range: Docker chooses
			addr, _ := netip.ParseAddr(cmp.Or(h.HostIP, "0.0.0.0"))
			all = append(all, inventory.Port{Container: uint16(port.Int()), Protocol: port.Proto(), HostAddr: addr.Unmap(), Host: uint16(host)})
		}
	}
	for port := range exposed {
		if len(bindings[port]) == 0 {
			all = append(all, inventory.Port{Container: uint16(port.Int()), Protocol: port.Proto()})
		}
	}
	slices.SortFunc(all, func(a, b inventory.Port) int {
		return cmp.Or(cmp.Compare(a.Container, b.Container), cmp.Compare(a.Protocol, b.Protocol),
			cmp.Compare(a.Host, b.Host), a.HostAddr.Compare(b.HostAddr))
	})
	return slices.DeleteFunc(slices.Compact(all), func(p inventory.Port) bool { return p.Container == 0 })
}

// What is read of a container's environment, which may hold secrets: of one
// variable an ID, of the other a number. Nothing else leaves this file.
const (
	metadataVariable = "ECS_CONTAINER_METADATA_URI_V4="
	gpuVariable      = "NVIDIA_VISIBLE_DEVICES="
)

// metadataID is the last part of the URI of the container's metadata. The rest
// is the same for all, and a container is not to say which server is asked.
func metadataID(env []string) string {
	for _, text := range env {
		uri, found := strings.CutPrefix(text, metadataVariable)
		if !found {
			continue
		}
		id := uri[strings.LastIndexByte(uri, '/')+1:]
		if strings.Contains(uri, "/v4/") && isMetadataID(id) {
			return id
		}
	}
	return ""
}

// isMetadataID allows what the ECS agent makes: a UUID, or a task's ID, a dash
// and digits.
func isMetadataID(id string) bool {
	return id != "" && len(id) <= 128 && strings.Trim(id, "0123456789abcdefABCDEF-") == ""
}

// gpus counts the GPUs that a container does not share: those it was created
// with, or those that the ECS agent pins by their IDs. "all" pins none.
func gpus(requests []container.DeviceRequest, env []string) int {
	n := 0
	for _, r := range requests {
		if r.Driver != "" && r.Driver != "nvidia" {
			continue
		}
		n += len(r.DeviceIDs) + max(0, r.Count)
	}
	if n > 0 {
		return n
	}
	for _, text := range env {
		value, found := strings.CutPrefix(text, gpuVariable)
		if !found {
			continue
		}
		for id := range strings.SplitSeq(value, ",") {
			if strings.HasPrefix(id, "GPU-") || strings.HasPrefix(id, "MIG-") {
				n++
			}
		}
	}
	return n
}
