package identity

import (
	"cmp"
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// DefaultCluster is where the ECS agent registers a host that names none.
const DefaultCluster = "default"

// A Host is who this host is.
type Host struct {
	ID             string
	Source         string // where the ID was found: config, dmi, cloud-init or hostname
	Cluster        string
	Address        netip.Addr   // where other hosts reach it; invalid if it has none
	Private        []netip.Addr // its addresses on Docker's own bridges, which others cannot reach
	Boot           string       // differs from boot to boot; empty if unknown
	ReservedMemory int64        // MiB that the ECS agent keeps from tasks: ECS_RESERVED_MEMORY
	GPUs           int          // that the ECS agent may pin: NVIDIA's, if ECS_ENABLE_GPU_SUPPORT is on
}

// The values of [Host.Source].
const (
	FromConfig    = "config"
	FromDMI       = "dmi"
	FromCloudInit = "cloud-init"
	FromHostname  = "hostname"
)

// A Reader finds out who this host is. The zero value reads this machine.
type Reader struct {
	ID         string                      // from the configuration; may be empty
	Cluster    string                      // from the configuration; may be empty
	Root       string                      // folder in the place of /
	Interfaces func() ([]Interface, error) // nil: this machine's
}

// errNoID is a host without a name.
var errNoID = errors.New("find host ID: neither configured, nor an EC2 instance, nor a host name")

// Read reads all of it anew. Only a host without any ID is an error; whatever
// else cannot be read is left empty.
func (r Reader) Read() (Host, error) {
	ecs := ParseEnvironment(r.read("etc/ecs/ecs.config"), "ECS_CLUSTER", "ECS_RESERVED_MEMORY", "ECS_ENABLE_GPU_SUPPORT")
	h := Host{
		Cluster: cmp.Or(r.Cluster, clusterName(ecs["ECS_CLUSTER"]), DefaultCluster),
		Boot:    r.line("proc/sys/kernel/random/boot_id"),
	}
	if n, err := strconv.ParseInt(ecs["ECS_RESERVED_MEMORY"], 10, 64); err == nil && n > 0 {
		h.ReservedMemory = n
	}
	if on, err := strconv.ParseBool(ecs["ECS_ENABLE_GPU_SUPPORT"]); err == nil && on {
		h.GPUs = r.count("proc/driver/nvidia/gpus")
	}
	h.Address, h.Private = r.addresses()
	h.ID, h.Source = r.id()
	if h.ID == "" {
		return h, errNoID
	}
	return h, nil
}

// id is the first ID there is, and its source.
func (r Reader) id() (id, source string) {
	if r.ID != "" {
		return r.ID, FromConfig
	}
	if id := r.line("sys/devices/virtual/dmi/id/board_asset_tag"); isInstance(id) {
		return id, FromDMI
	}
	if id := r.line("var/lib/cloud/data/instance-id"); isInstance(id) {
		return id, FromCloudInit
	}
	if name := r.line("proc/sys/kernel/hostname"); name != "(none)" {
		return name, FromHostname
	}
	return "", ""
}

// isInstance reports whether id is an EC2 instance's: i- and 8 to 17
// hexadecimal digits. Elsewhere the files hold other things.
func isInstance(id string) bool {
	digits, ok := strings.CutPrefix(id, "i-")
	return ok && len(digits) >= 8 && len(digits) <= 17 && strings.Trim(digits, "0123456789abcdef") == ""
}

// clusterName is the name in what may be a cluster's ARN.
func clusterName(s string) string {
	if _, name, ok := strings.Cut(s, ":cluster/"); ok && strings.HasPrefix(s, "arn:") {
		return name
	}
	return s
}
