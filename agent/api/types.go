package api

import "time"

// Status is the daemon's verdict on itself and on what it depends on.
type Status struct {
	Verdict    Verdict     `json:"verdict"`
	Reasons    []string    `json:"reasons"` // why it is not ok, worst first; empty when it is
	Version    string      `json:"version"`
	Host       Host        `json:"host"`
	Started    time.Time   `json:"started"`
	PID        int         `json:"pid"`
	Generation int         `json:"generation"` // counts accepted configurations, from 1
	Config     ConfigState `json:"config"`
	Docker     Docker      `json:"docker"`
	Logs       Logs        `json:"logs"`
	Images     Images      `json:"images"`
	Relay      RelayState  `json:"relay"`
	Store      StoreState  `json:"store"`
	Disks      []Disk      `json:"disks"`
	Jobs       []Job       `json:"jobs"`
	Limited    []string    `json:"limited"` // what this process lacks the rights to do, with the cure
}

// A Verdict is ok or degraded. A daemon that cannot say is unreachable.
type Verdict string

// The verdicts.
const (
	OK       Verdict = "ok"
	Degraded Verdict = "degraded"
)

// Host is who this host is.
type Host struct {
	ID      string `json:"id"`
	Cluster string `json:"cluster"`
	Address string `json:"address"` // where other hosts reach it; empty if unknown
	Source  string `json:"source"`  // where the ID was learned
}

// ConfigState is which configuration runs and whether a newer one was refused.
type ConfigState struct {
	File     string    `json:"file"` // empty: defaults, environment and flags only
	Loaded   time.Time `json:"loaded,omitzero"`
	Rejected []Fault   `json:"rejected"` // faults of the newest file that was refused; empty if none was
	Restart  []string  `json:"restart"`  // keys whose new values wait for a restart
}

// A Fault is one thing wrong with a configuration.
type Fault struct {
	File       string `json:"file"`   // or "environment", "flags"
	Line       int    `json:"line"`   // from 1; 0 where there is none
	Column     int    `json:"column"` // from 1; 0 where there is none
	Key        string `json:"key"`    // dotted path
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"` // what was probably meant; may be empty
}

// Docker is how the Engine is doing as seen from here.
type Docker struct {
	Socket       string    `json:"socket"`
	Connected    bool      `json:"connected"`
	Blind        string    `json:"blind"`                // why the picture may be out of date; empty while it is current
	BlindSince   time.Time `json:"blind_since,omitzero"` // zero while it is current
	BlindSeconds float64   `json:"blind_seconds"`
	Version      string    `json:"version"`
	APIVersion   string    `json:"api_version"`
	RootDir      string    `json:"root_dir"`
	Containers   int       `json:"containers"`
	Up           int       `json:"up"`
	LastEvent    time.Time `json:"last_event,omitzero"`
	LastList     time.Time `json:"last_list,omitzero"`
	Reconnects   uint64    `json:"reconnects"`
}

// Logs is the state of the log janitor.
type Logs struct {
	Roots      []LogRoot `json:"roots"`
	Blind      string    `json:"blind"`                // why nothing may be deleted now; empty if it may
	FirstSweep time.Time `json:"first_sweep,omitzero"` // until then scheduled sweeps only plan; zero: they remove
	Restorable int       `json:"restorable"`
	HeldBytes  int64     `json:"held_bytes"` // bytes that the restorable folders still take
}

// LogRoot is one configured log root.
type LogRoot struct {
	Path    string `json:"path"`
	Pattern string `json:"pattern"`
	Fault   string `json:"fault"` // why it cannot be swept; empty if it can
}

// StoreState is how the central store is doing.
type StoreState struct {
	Engine    string    `json:"engine"`
	Fault     string    `json:"fault"` // empty while it answers
	Published time.Time `json:"published,omitzero"`
	Mappings  int       `json:"mappings"`
	Cut       int       `json:"cut"`    // mappings left out because the record would be too large
	Fenced    bool      `json:"fenced"` // another agent publishes for this host, and its record is the one that counts
}

// Disk is one file system that Berth looks after.
type Disk struct {
	Path          string  `json:"path"`
	Use           string  `json:"use"` // what Berth keeps or sweeps there: logs, docker, state
	Bytes         uint64  `json:"bytes"`
	FreeBytes     uint64  `json:"free_bytes"` // free to an unprivileged process
	BytesPercent  float64 `json:"bytes_percent"`
	InodesPercent float64 `json:"inodes_percent"`

	Level  string        `json:"level"`          // normal, forecast, high, emergency
	Reason string        `json:"reason"`         // what the level rests on
	Since  time.Time     `json:"since,omitzero"` // when it was reached
	FullIn time.Duration `json:"full_in_ns"`     // if its use goes on as it did; 0: not in sight
}

// Container is one container on this host.
type Container struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Names     []string   `json:"names"`
	Image     string     `json:"image"`
	Service   string     `json:"service"`
	Family    string     `json:"family"`
	Task      string     `json:"task"`
	ECS       bool       `json:"ecs"`
	State     string     `json:"state"`
	Health    string     `json:"health"`
	ExitCode  int        `json:"exit_code"`
	Created   time.Time  `json:"created,omitzero"`
	Started   *time.Time `json:"started,omitempty"`
	Finished  *time.Time `json:"finished,omitempty"`
	Network   string     `json:"network"`
	Addresses []string   `json:"addresses"`
	Ports     []Port     `json:"ports"`
	Mounts    []Mount    `json:"mounts"`
	Reserved  Reserved   `json:"reserved"`
	LogFolder string     `json:"log_folder"`
}

// Port is one published port.
type Port struct {
	Container uint16 `json:"container"`
	Protocol  string `json:"protocol"`
	HostIP    string `json:"host_ip"`
	Host      uint16 `json:"host"`
}

// Mount is something of the host seen inside a container.
type Mount struct {
	Type        string `json:"type"`
	Volume      string `json:"volume,omitempty"` // its name, for a volume
	Source      string `json:"source"`
	Destination string `json:"destination"`
	ReadOnly    bool   `json:"read_only"`
}

// Reserved is what one container has reserved by its own settings.
type Reserved struct {
	CPU    int64 `json:"cpu"`    // units, 1024 to a core
	Memory int64 `json:"memory"` // MiB
}

// Containers is the answer to GET /v1/containers.
type Containers struct {
	Synced     bool        `json:"synced"` // false: Docker has not been asked yet
	Blind      string      `json:"blind"`
	At         time.Time   `json:"at"`
	Containers []Container `json:"containers"`
}

// Portmap is one published port, addressed as other hosts reach it.
type Portmap struct {
	Service   string `json:"service"`
	Instance  int    `json:"instance"` // position among the service's instances on the host, from 1
	Container string `json:"container"`
	ID        string `json:"id"`
	Task      string `json:"task"`
	Port      uint16 `json:"port"` // inside the container
	Protocol  string `json:"protocol"`
	HostIP    string `json:"host_ip"`
	HostPort  uint16 `json:"host_port"`
	Name      string `json:"name"` // jmxmp for the JMXMP port; else empty
	URL       string `json:"url"`  // service:jmx:jmxmp://…; empty for other ports
}

// Reservation is what this host has registered and what of it is reserved.
type Reservation struct {
	CPU      Vector            `json:"cpu"`      // units, 1024 to a core
	Memory   Vector            `json:"memory"`   // MiB
	GPU      Vector            `json:"gpu"`      // whole GPUs
	Ports    []string          `json:"ports"`    // of the host, that tasks demand: 8080/tcp
	Pending  int               `json:"pending"`  // tasks that are not running yet
	Stopping int               `json:"stopping"` // tasks that are to stop and have not yet
	Unknown  int               `json:"unknown"`  // tasks of which no size, or not all of it, is known
	ErrCPU   int64             `json:"err_cpu"`  // units by which the reserved CPU may be too high
	Exact    bool              `json:"exact"`    // false: some task's size is an estimate or unknown
	Source   string            `json:"source"`   // where the figures come from, best first
	Tasks    []TaskReservation `json:"tasks"`
	Notes    []string          `json:"notes"` // why it is not exact
}

// Vector is one resource, registered and reserved.
type Vector struct {
	Registered int64 `json:"registered"`
	Reserved   int64 `json:"reserved"`  // by ECS tasks, until they have stopped: as the ECS agent counts
	Scheduled  int64 `json:"scheduled"` // by ECS tasks that are not to stop: as the control plane counts
	Unmanaged  int64 `json:"unmanaged"` // by containers that ECS does not count
}

// TaskReservation is one task's, or one foreign container's, contribution.
type TaskReservation struct {
	Task       string   `json:"task"` // ARN; empty for a container outside ECS
	Service    string   `json:"service"`
	ECSService string   `json:"ecs_service"` // as ECS names it; empty: none, or not known
	Family     string   `json:"family"`      // task definition family and revision
	Status     string   `json:"status"`      // counted, pending, stopping, unmanaged
	Containers []string `json:"containers"`
	CPU        int64    `json:"cpu"`
	Memory     int64    `json:"memory"`
	GPU        int64    `json:"gpu"`
	Ports      []string `json:"ports"`
	Exact      bool     `json:"exact"`
	Why        string   `json:"why"` // how the figures were found
}

// Folder is one log folder and what the janitor thinks of it.
type Folder struct {
	Path      string    `json:"path"`
	Root      string    `json:"root"`
	Service   string    `json:"service"`
	Container string    `json:"container"`        // the folder's name: 12 or 64 digits of the ID
	State     string    `json:"state"`            // live, dead, unknown, restorable, purging, orphan
	Verdict   string    `json:"verdict"`          // keep, remove; purge for a restorable one
	Code      string    `json:"code"`             // the reason as a word, stable
	Reason    string    `json:"reason"`           // the reason as a sentence
	Bytes     int64     `json:"bytes"`            // -1: not measured
	Files     int64     `json:"files"`            // -1: not measured
	Written   time.Time `json:"written,omitzero"` // newest change seen; zero: not measured
	Until     time.Time `json:"until,omitzero"`   // when the verdict may change; zero: unknown
}

// LogPlan is what a sweep would do now, and how it prints.
type LogPlan struct {
	Hash    string   `json:"hash"`
	Blind   string   `json:"blind"` // why nothing may be removed now; empty if it may
	Text    string   `json:"text"`  // the plan's own bytes: what Hash is taken over
	Notes   []string `json:"notes"` // what was left alone without being a container's folder
	Folders []Folder `json:"folders"`
	Remove  int      `json:"remove"`
	Keep    int      `json:"keep"`
	Limited int      `json:"limited"` // of Keep: would go, but for the limits of one sweep
	Bytes   int64    `json:"bytes"`   // of the folders to remove
}

// SweepRequest asks for a sweep of the log folders.
type SweepRequest struct {
	Plan      string `json:"plan"`      // apply only what the plan with this hash names; empty: what is planned now
	DryRun    bool   `json:"dry_run"`   // plan only
	Purge     bool   `json:"purge"`     // give up the undo window of what is restorable and delete it now
	Unlimited bool   `json:"unlimited"` // lift the limits of one sweep
}

// SweepReport is what a sweep did.
type SweepReport struct {
	Plan     LogPlan       `json:"plan"`
	DryRun   bool          `json:"dry_run"`
	Removed  []Folder      `json:"removed"` // moved out of reach; restorable until Until
	Purged   []Folder      `json:"purged"`  // deleted for good
	Refused  []Folder      `json:"refused"` // planned, and kept after all
	Freed    int64         `json:"freed_bytes"`
	Held     int64         `json:"held_bytes"` // in restorable folders
	Duration time.Duration `json:"duration_ns"`
	Fault    string        `json:"fault"` // what went wrong beside what was done; empty: nothing
}

// UndoRequest names what to bring back: exactly one of the fields is set.
type UndoRequest struct {
	Container string `json:"container"` // 12 or 64 digits, or the folder's path
	Last      bool   `json:"last"`      // everything the newest sweep removed
	Plan      string `json:"plan"`      // everything removed under this plan's hash
}

// UndoReport is what came back and what could not.
type UndoReport struct {
	Restored []Folder `json:"restored"`
	Failed   []Folder `json:"failed"` // Reason says why
}

// Record is one line of the janitor's audit.
type Record struct {
	Seq       uint64    `json:"seq"`
	Time      time.Time `json:"time"`
	Action    string    `json:"action"` // removed, restored, purged, kept, refused, blind, recovered
	Kind      string    `json:"kind"`   // image, container, volume or build-cache; empty: a log folder, or a disk
	Path      string    `json:"path"`
	Service   string    `json:"service"`
	Container string    `json:"container"`
	Plan      string    `json:"plan"`
	Code      string    `json:"code"`
	Reason    string    `json:"reason"`
	Bytes     int64     `json:"bytes"`
	By        string    `json:"by"` // schedule, uid 0, …
}

// Why is all that is known of one container or folder.
type Why struct {
	Object    string     `json:"object"`
	Verdict   string     `json:"verdict"` // one sentence
	Container *Container `json:"container,omitempty"`
	Folders   []Folder   `json:"folders"`
	Objects   []Object   `json:"objects"` // images and what else is in Docker's store
	History   []Record   `json:"history"` // oldest first
}

// Job is one scheduled duty.
type Job struct {
	Name     string    `json:"name"`
	Schedule string    `json:"schedule"`
	Splay    string    `json:"splay"` // how long after the scheduled moment this host runs it
	Running  bool      `json:"running"`
	Next     time.Time `json:"next,omitzero"`
	Last     *Run      `json:"last,omitempty"`
	Runs     uint64    `json:"runs"`
	Failures uint64    `json:"failures"`
}

// Run is one run of a job.
type Run struct {
	ID       string        `json:"id"`
	Job      string        `json:"job"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration_ns"`
	Result   string        `json:"result"` // ok, failed, blind, planned, partial
	Detail   string        `json:"detail"` // one line
	Freed    int64         `json:"freed_bytes"`
	DryRun   bool          `json:"dry_run"`
	By       string        `json:"by"`
}

// Reload is the answer to POST /v1/reload.
type Reload struct {
	Generation int      `json:"generation"`
	Changed    []string `json:"changed"` // keys now in force
	Restart    []string `json:"restart"` // keys whose new values wait for a restart
}

// ConfigShow is the configuration in force.
type ConfigShow struct {
	YAML    string            `json:"yaml"`    // secrets masked
	Sources map[string]string `json:"sources"` // dotted key -> default, file:line, environment, flag
}

// Check is one line of the doctor.
type Check struct {
	Level   string `json:"level"` // ok, warn, fail
	Subject string `json:"subject"`
	Message string `json:"message"`
	Cure    string `json:"cure"` // empty for ok
}

// Version is which build this is.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	API     string `json:"api"`
}

// Event is one thing Berth saw or did.
type Event struct {
	Seq       uint64    `json:"seq"`
	Time      time.Time `json:"time"`
	Type      string    `json:"type"` // container.started, docker.blind, logs.removed, …; heartbeat, dropped
	Container string    `json:"container,omitempty"`
	Service   string    `json:"service,omitempty"`
	Folder    string    `json:"folder,omitempty"`
	Image     string    `json:"image,omitempty"`
	Message   string    `json:"message,omitempty"`
	Bytes     int64     `json:"bytes,omitempty"`
	Dropped   uint64    `json:"dropped,omitempty"` // events this reader was too slow for
}
