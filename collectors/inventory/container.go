package inventory

import (
	"net/netip"
	"strings"
	"time"
)

// IDLen and ShortIDLen are the lengths in hexadecimal digits of a whole
// container ID and of its usual short form, which is also the hostname that
// Docker gives a container by default.
const (
	IDLen      = 64
	ShortIDLen = 12
)

// An ID is a container's whole ID: 64 lower-case hexadecimal digits. Docker
// never gives the same one twice and keeps it over restarts and renames.
type ID string

// Short returns the first 12 digits, or the whole of a shorter ID.
func (id ID) Short() string {
	if len(id) < ShortIDLen {
		return string(id)
	}
	return string(id[:ShortIDLen])
}

// Valid reports whether the ID has the form Docker gives: 64 lower-case
// hexadecimal digits.
func (id ID) Valid() bool { return len(id) == IDLen && IsHex(string(id)) }

// IsHex reports whether s is not empty and holds only 0-9 and a-f.
func IsHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdef") == ""
}

// A State is what Docker says a container is doing. In every one of them,
// exited and dead included, the container still exists.
type State string

// The states of the Docker Engine API.
const (
	Created    State = "created"
	Running    State = "running"
	Paused     State = "paused"
	Restarting State = "restarting"
	Removing   State = "removing"
	Exited     State = "exited"
	Dead       State = "dead"
)

// Up reports whether a container in this state has a process.
func (s State) Up() bool { return s == Running || s == Paused || s == Restarting }

// MaxLabel is how many bytes of a label's value are kept: as much as a tag can
// hold.
const MaxLabel = 200

// A Container is one container that exists on this host, in whatever state.
type Container struct {
	ID          ID
	Names       []string // without the leading slash; the container's own name first
	Image       string   // as it was named at creation
	ImageID     string
	Service     string // see the Docker watcher for where it comes from; never empty
	Family      string // ECS task definition family and revision, "orders:211"; empty outside ECS
	Task        string // ECS task ARN; empty outside ECS
	Name        string // the container's name in its task definition or compose file; else Names[0]
	ECS         bool   // any label of the ECS agent is present
	State       State
	PID         int    // its first process, in the Engine's PID namespace; 0: it has none, or that is not known yet
	Health      string // healthy, unhealthy, starting; empty where there is no health check
	ExitCode    int    // meaningful once the container has finished
	Created     time.Time
	Started     time.Time // zero: never started
	Finished    time.Time // zero: has not stopped since it was last started
	NetworkMode string    // as Docker names it: bridge, host, none, container:<id>, a network's name
	Addresses   []netip.Addr
	Ports       []Port
	Mounts      []Mount
	Limits      Limits
	Declared    []Port            // ports it was created with, published or not; Host is 0 where Docker chooses it
	MetadataID  string            // what its task's metadata endpoint calls it; ECS only
	Labels      map[string]string // those that were asked for, and that it has; values are cut at MaxLabel
	LogFolder   string            // where the host would find its log folder; empty if no mount leads to a log root
}

// A Port is one published port of a running container.
type Port struct {
	Container uint16
	Protocol  string     // tcp, udp or sctp
	HostAddr  netip.Addr // the address it is bound to; unspecified means all
	Host      uint16
}

// A Mount is something of the host seen inside a container.
type Mount struct {
	Type        string // bind, volume, tmpfs
	Volume      string // its name, for a volume
	Source      string // path on the host
	Destination string // path in the container
	ReadOnly    bool
}

// Limits are the container's own resource settings: what its reservation is
// computed from. Zero means unset.
type Limits struct {
	CPUShares         int64 // relative weight; ECS: CPU units, 1024 to a core
	NanoCPUs          int64 // 1e9 to a core
	CPUQuota          int64 // microseconds of CPU per period
	CPUPeriod         int64 // microseconds
	Memory            int64 // bytes, hard
	MemoryReservation int64 // bytes, soft
	GPUs              int   // whole GPUs that are its own
	CgroupParent      string
}

// An Engine is who answered: enough to notice that another one answers today.
type Engine struct {
	ID         string
	RootDir    string // Docker's data root; the ID alone is kept when only the root changes
	Driver     string // of its storage: overlay2, overlayfs, …
	Version    string
	APIVersion string
	CPUs       int
	Memory     int64     // bytes
	Started    time.Time // when the Engine's process started; zero: could not be learned
}

// A Listing is one complete answer of the Engine: every container in every
// state. A partial answer is an error, never a Listing.
type Listing struct {
	Taken      time.Time // when the question was asked
	Engine     Engine
	Containers []Container // sorted by ID

	// Asked are those that this answer is about; the others are as an earlier one
	// had them. Nil: all.
	Asked map[ID]bool
}

// About reports whether the answer itself says that this container is there, or
// is not.
func (l Listing) About(id ID) bool { return l.Asked == nil || l.Asked[id] }
