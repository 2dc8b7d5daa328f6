package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/berth-dev/berth/bridge/dogstatsd"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/process"
)

// origins are the containers as senders of packets: those that are up and have
// an address on a Docker network. A process counts only if it is certain. What
// labels name becomes tags.
func origins(s inventory.Snapshot, certain map[inventory.ID]process.Process, labels map[string]string) []dogstatsd.Origin {
	var all []dogstatsd.Origin
	for _, c := range s.Containers {
		if len(c.Addresses) == 0 {
			continue
		}
		p := certain[c.ID]
		if p.PID != c.PID {
			p.PID, p.Started = 0, time.Time{} // of the run before this one
		}
		// Docker notes a start when the container's process has begun to run.
		if p.Started.IsZero() {
			p.Started = c.Started
		}
		if p.Started.IsZero() {
			continue // since when it has the address is not known yet
		}
		all = append(all, dogstatsd.Origin{
			ID: c.ID, Service: c.Service, Addresses: c.Addresses, Started: p.Started,
			PID: p.PID, Inode: p.Inode, Tags: tagsOf(c, labels),
		})
	}
	return all
}

// tagsOf are a container's tags for a server that does not know containers:
// named as Datadog names them, in a fixed order.
func tagsOf(c inventory.Container, labels map[string]string) []string {
	family, revision, _ := strings.Cut(c.Family, ":")
	var tags []string
	for _, t := range [][2]string{
		{"service", c.Service}, {"container_name", c.Name}, {"task_family", family}, {"task_version", revision},
	} {
		tags = appendTag(tags, t[0], t[1])
	}
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		tags = appendTag(tags, labels[label], c.Labels[label])
	}
	return tags
}

// appendTag leaves out a tag without a value. What would break out of a tag on
// the wire becomes a line below.
func appendTag(tags []string, name, value string) []string {
	if value == "" {
		return tags
	}
	return append(tags, name+":"+strings.Map(func(r rune) rune {
		if strings.ContainsRune(",|#", r) || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, value))
}

// apart counts the containers that are up and that do not send from an address
// of their own on a Docker network.
type apart struct {
	awsvpc int // have their task's network interface
	host   int // send from the host's own addresses
}

func apartOf(s inventory.Snapshot) (n apart) {
	for _, c := range s.Containers {
		holder, shares := strings.CutPrefix(c.NetworkMode, "container:")
		switch {
		case !c.State.Up():
		case c.NetworkMode == "host":
			n.host++
		case shares && inTask(s, inventory.ID(holder)):
			n.awsvpc++
		}
	}
	return n
}

// inTask reports whether the container that holds another's network is one
// with which the ECS agent holds a task's: Docker has given it none.
func inTask(s inventory.Snapshot, holder inventory.ID) bool {
	c, found := s.Container(holder)
	return found && c.Pause() && c.NetworkMode == "none"
}

// String is empty if there are none.
func (n apart) String() string {
	var parts []string
	if n.awsvpc > 0 {
		parts = append(parts, fmt.Sprintf("%d in awsvpc mode, which do not reach the relay", n.awsvpc))
	}
	if n.host > 0 {
		parts = append(parts, fmt.Sprintf("%d in host mode, whose packets have no origin", n.host))
	}
	return strings.Join(parts, "; ")
}
