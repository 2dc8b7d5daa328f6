package stats

// A Metric is one row of the table: its name without the configured prefix,
// its dogstatsd type, its unit, the tags it carries, and what it says.
type Metric struct {
	Name string
	Kind Kind
	Unit string
	Tags []string // keys of the tags it carries, besides the configured ones
	Help string
}

// Kind is how a metric's values add up.
type Kind string

// The kinds that Berth sends.
const (
	Gauge Kind = "gauge" // the value now
	Count Kind = "count" // what was added since the last report
)

// The names of the metrics, without prefix.
const (
	Containers         = "containers"
	DockerConnected    = "docker.connected"
	DockerBlind        = "docker.blind_seconds"
	DockerReconnects   = "docker.reconnects"
	DiskUsed           = "disk.used_percent"
	DiskLevel          = "disk.level"
	DiskFullIn         = "disk.full_in_seconds"
	Images             = "images.present"
	ImagesUnused       = "images.unused"
	ImagesRemoved      = "images.removed"
	ImagesRefused      = "images.refused"
	ImagesLost         = "images.lost"
	ImagesPredicted    = "images.freed_bytes"
	LogsSweeps         = "logs.sweeps"
	LogsRemoved        = "logs.removed"
	LogsRestored       = "logs.restored"
	LogsPurged         = "logs.purged"
	LogsRefused        = "logs.refused"
	LogsFreed          = "logs.freed_bytes"
	LogsHeld           = "logs.held_bytes"
	LogsRestorable     = "logs.restorable"
	JobsRuns           = "jobs.runs"
	JobsSeconds        = "jobs.seconds"
	RelayBytes         = "relay.bytes"
	RelayDatagrams     = "relay.datagrams"
	RelayDelivered     = "relay.delivered"
	RelayDropped       = "relay.dropped"
	RelayHeld          = "relay.held"
	RelayMessages      = "relay.messages"
	RelayUnresolved    = "relay.unresolved"
	RelaySentDatagrams = "relay.upstream.datagrams"
	RelayHeldBytes     = "relay.upstream.held_bytes"
	RelaySent          = "relay.upstream.messages"
	RelayUp            = "relay.upstream.up"
	StoreUp            = "store.up"
	ConfigGeneration   = "config.generation"
	ConfigRejected     = "config.rejected"
	ProcessCPU         = "process.cpu_seconds"
	ProcessRSS         = "process.rss_bytes"
	StoreFenced        = "store.fenced"
	StoreCut           = "store.cut"
	StoreFailures      = "store.failures"
	Reserved           = "reservation.reserved"
	Scheduled          = "reservation.scheduled"
	Registered         = "reservation.registered"
	ReservedUnknown    = "reservation.unknown"
	ReservedExact      = "reservation.exact"
)

// Metrics returns the table of all metrics, sorted by name.
func Metrics() []Metric {
	return []Metric{
		{ConfigGeneration, Gauge, "", nil, "how many configurations have been accepted since the start"},
		{ConfigRejected, Gauge, "", nil, "1 while the newest configuration file is refused and an older one runs"},
		{Containers, Gauge, "container", []string{"state"}, "containers that exist on the host"},
		{DiskFullIn, Gauge, "second", []string{"path"}, "time until a file system is full if its use goes on as it did; absent while that is not in sight"},
		{DiskLevel, Gauge, "", []string{"path"}, "how short of space a file system is: 0 normal, 1 forecast, 2 high, 3 emergency"},
		{DiskUsed, Gauge, "percent", []string{"path"}, "bytes or inodes of a file system in use, whichever is worse"},
		{DockerBlind, Count, "second", nil, "time without a current picture of Docker"},
		{DockerConnected, Gauge, "", nil, "1 while the picture of Docker is current"},
		{DockerReconnects, Count, "", nil, "times the connection to Docker was made anew"},
		{ImagesPredicted, Count, "byte", nil, "what removed images set free, counted in layers"},
		{ImagesLost, Count, "image", nil, "images removed while a container was made from them; must stay 0"},
		{Images, Gauge, "image", nil, "images in Docker's store when it was last looked at"},
		{ImagesRefused, Count, "", nil, "images, containers, volumes and records of the build cache that a plan removes, kept after all"},
		{ImagesRemoved, Count, "", nil, "images, containers, volumes and records of the build cache removed"},
		{ImagesUnused, Gauge, "", nil, "images, containers, volumes and records of the build cache that the next sweep would remove"},
		{JobsRuns, Count, "", []string{"job", "result"}, "runs of scheduled jobs"},
		{JobsSeconds, Count, "second", []string{"job"}, "time spent in scheduled jobs"},
		{LogsFreed, Count, "byte", nil, "bytes given back by deleted log folders"},
		{LogsHeld, Gauge, "byte", nil, "bytes in folders that can still be restored"},
		{LogsPurged, Count, "", nil, "log folders deleted for good"},
		{LogsRefused, Count, "", []string{"code"}, "log folders that were planned for removal and kept after all"},
		{LogsRemoved, Count, "", nil, "log folders moved out of reach, to be deleted"},
		{LogsRestorable, Gauge, "", nil, "log folders that can still be restored"},
		{LogsRestored, Count, "", nil, "log folders brought back"},
		{LogsSweeps, Count, "", []string{"result"}, "sweeps of the log roots"},
		{ProcessCPU, Count, "second", nil, "CPU time of the daemon, user and system"},
		{ProcessRSS, Gauge, "byte", nil, "resident memory of the daemon"},
		{RelayBytes, Count, "byte", nil, "bytes that containers have sent to the relay"},
		{RelayDatagrams, Count, "packet", nil, "datagrams that containers have sent to the relay"},
		{RelayDelivered, Count, "message", nil, "messages that the relay's upstream, or its fallback, has taken"},
		{RelayDropped, Count, "message", []string{"cause"}, "messages that were not delivered; of cause kernel: datagrams"},
		{RelayHeld, Gauge, "message", nil, "messages on their way to the upstream"},
		{RelayMessages, Count, "message", nil, "messages that containers have sent to the relay"},
		{RelayUnresolved, Count, "message", nil, "messages that went on without an origin: nobody has the address they came from"},
		{RelaySentDatagrams, Count, "packet", []string{"upstream"}, "datagrams that an upstream has taken"},
		{RelayHeldBytes, Gauge, "byte", []string{"upstream"}, "what is held for an upstream that is away"},
		{RelaySent, Count, "message", []string{"upstream"}, "messages that an upstream has taken"},
		{RelayUp, Gauge, "", []string{"upstream"}, "0 while an upstream is away"},
		{ReservedExact, Gauge, "", nil, "1 while what is reserved is the ECS agent's own figure"},
		{Registered, Gauge, "", []string{"resource"}, "what the host has for tasks: CPU units, MiB, GPUs"},
		{Reserved, Gauge, "", []string{"resource"}, "what tasks hold, those that are to stop among them"},
		{Scheduled, Gauge, "", []string{"resource"}, "what tasks hold that are not to stop"},
		{ReservedUnknown, Gauge, "task", nil, "tasks of which no size, or not all of it, is known"},
		{StoreCut, Gauge, "", nil, "port mappings left out of the host's record because it would be too large"},
		{StoreFailures, Count, "", nil, "calls to the central store that failed"},
		{StoreFenced, Gauge, "", nil, "1 while another agent publishes for this host, as on a cloned machine"},
		{StoreUp, Gauge, "", nil, "1 while the central store takes the host's record"},
	}
}
