package config

import (
	"net/netip"
	"time"
)

// Config is everything that can be set. Its zero value is not usable: start
// from [Default] or [Load].
type Config struct {
	Host       Host       `yaml:"host"`
	Docker     Docker     `yaml:"docker"`
	ECS        ECS        `yaml:"ecs"`
	API        API        `yaml:"api"`
	StateDir   string     `yaml:"state_dir"` // absolute path; /var/lib/berth
	Logs       Logs       `yaml:"logs"`
	Images     Images     `yaml:"images"`
	Disk       Disk       `yaml:"disk"`
	Containers Containers `yaml:"containers"`
	Volumes    Volumes    `yaml:"volumes"`
	BuildCache BuildCache `yaml:"build_cache"`
	Relay      Relay      `yaml:"relay"`
	Publish    Publish    `yaml:"publish"`
	Metrics    Metrics    `yaml:"metrics"`
	Cluster    Cluster    `yaml:"cluster"`
	Log        Log        `yaml:"log"`
	Reload     Reload     `yaml:"config"`
}

// Host says who this host is where it cannot or should not be found out.
type Host struct {
	ID      string `yaml:"id"`      // empty: the EC2 instance's ID, else the hostname
	Cluster string `yaml:"cluster"` // empty: ECS_CLUSTER of the ECS agent
}

// Docker is how the Engine is reached and what is expected of it.
type Docker struct {
	Socket       string        `yaml:"socket"`        // absolute path; /var/run/docker.sock
	DataRoot     string        `yaml:"data_root"`     // absolute path; empty: the one first seen
	Settle       time.Duration `yaml:"settle"`        // 5m; nothing is deleted for this long after a start of the Engine
	ServiceLabel string        `yaml:"service_label"` // container label that names the service outside ECS; empty: none
}

// ECS is where this host's ECS agent answers.
type ECS struct {
	Introspection string `yaml:"introspection"` // URL; http://127.0.0.1:51678
	Metadata      string `yaml:"metadata"`      // URL; http://127.0.0.1:51679
}

// API is the unix socket that the command line talks to.
type API struct {
	Socket        string `yaml:"socket"`         // absolute path; /run/berth/berth.sock
	Group         string `yaml:"group"`          // group that may connect; berth
	OperatorGroup string `yaml:"operator_group"` // group that may also act; empty: root and the daemon's user alone
}

// Logs is the sweep of the log folders of dead containers.
type Logs struct {
	Roots           []LogRoot     `yaml:"roots"`             // [/var/log/apps]; empty: no sweep
	Schedule        string        `yaml:"schedule"`          // cron expression in UTC; "0 * * * *"
	Splay           time.Duration `yaml:"splay"`             // 10m; most that this host runs after the scheduled moment
	Grace           time.Duration `yaml:"grace"`             // 1h; after the container's end and after the last write
	UnknownGrace    time.Duration `yaml:"unknown_grace"`     // 24h; for containers never seen alive here
	MaxAge          Age           `yaml:"max_age"`           // off; how long a dead folder stays, beyond its grace
	MaxBytes        Size          `yaml:"max_bytes"`         // off; what dead folders of one root may take, oldest go first
	MaxServiceBytes Size          `yaml:"max_service_bytes"` // off; the same for those of one service
	Undo            time.Duration `yaml:"undo"`              // 1h; how long a removed folder can be restored
	Archive         string        `yaml:"archive"`           // absolute path for .tar.gz before the purge; empty: none
	RotateAfter     Age           `yaml:"rotate_after"`      // off; quiet time after which a closed file of a living container is compressed
	FirstSweepDelay time.Duration `yaml:"first_sweep_delay"` // 24h; after the installation scheduled sweeps only plan
	SweepShare      int           `yaml:"sweep_share"`       // 10; most of the folders that one sweep removes, in percent
	SweepBytes      Size          `yaml:"sweep_bytes"`       // 25GiB; most that one sweep removes
	SweepTime       time.Duration `yaml:"sweep_time"`        // 5m; for how long one sweep removes
}

// A LogRoot is a folder below which each container has a log folder.
type LogRoot struct {
	Path    string `yaml:"path"`    // absolute and clean, not "/"
	Pattern string `yaml:"pattern"` // "{service}/containers/{id}"; below Path
}

// Images is the sweep of images that no container uses.
type Images struct {
	Schedule   string        `yaml:"schedule"`    // cron expression in UTC; "30 3 * * *"
	Splay      time.Duration `yaml:"splay"`       // 30m; most that this host runs after the scheduled moment
	MinAge     time.Duration `yaml:"min_age"`     // 72h; since the last use
	Keep       []string      `yaml:"keep"`        // patterns of images that always stay; none
	KeepNewest int           `yaml:"keep_newest"` // images per repository; 2
	Dangling   time.Duration `yaml:"dangling"`    // 1h; age at which an image without a tag may go
}

// Disk is when a file system counts as full, in percent of its bytes or of its
// inodes, whichever is worse.
type Disk struct {
	High      int `yaml:"high"`      // 85
	Low       int `yaml:"low"`       // 70
	Emergency int `yaml:"emergency"` // 98
}

// Containers is the prune of stopped containers that ECS does not own.
type Containers struct {
	Stopped Age `yaml:"stopped"` // off
}

// Volumes is the prune of volumes that no container refers to.
type Volumes struct {
	Anonymous Age `yaml:"anonymous"` // off
}

// BuildCache is the prune of what builds left for the next build.
type BuildCache struct {
	Unused Age `yaml:"unused"` // off
}

// Relay is the dogstatsd relay on docker0.
type Relay struct {
	Listen        Listen              `yaml:"listen"`         // docker0:8125
	Upstream      Upstream            `yaml:"upstream"`       // udp://127.0.0.1:8125
	Fallback      string              `yaml:"fallback"`       // URL; empty: what the upstream cannot take is held
	Origin        string              `yaml:"origin"`         // auto, cred, field, inode, tags or off
	ClientOrigin  string              `yaml:"client_origin"`  // keep or replace; keep
	Hold          Size                `yaml:"hold"`           // 32MiB; held in memory while upstreams are away
	Rate          int                 `yaml:"rate"`           // messages a second of one container; 0: no limit
	Contexts      int                 `yaml:"contexts"`       // new contexts a minute of one container; 0: no limit
	Block         map[string][]string `yaml:"block"`          // service or * to beginnings of names; none
	StableAddress netip.Addr          `yaml:"stable_address"` // invalid (none): docker0's own address
	Labels        map[string]string   `yaml:"labels"`         // container label to tag name; none
}

// Publish is this host's record in the central store.
type Publish struct {
	Store     string        `yaml:"store"`      // embedded, or a URL that may hold a password; embedded
	JMXMPPort int           `yaml:"jmxmp_port"` // port inside containers; 5555
	TTL       time.Duration `yaml:"ttl"`        // 90s; life of a record that is not renewed
	Withdraw  bool          `yaml:"withdraw"`   // false; the record goes with the daemon
}

// Metrics is where the agent's own metrics go.
type Metrics struct {
	Dogstatsd string   `yaml:"dogstatsd"` // host:port, path of a unix socket, or off; see Addr
	Prefix    string   `yaml:"prefix"`    // before each name; "berth."
	Tags      []string `yaml:"tags"`      // on each metric; none
}

// Cluster is what all hosts decide together. It has no keys yet.
type Cluster struct{}

// Log is the agent's own log.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error; info
	Format string `yaml:"format"` // auto, json, text or journal; auto
}

// Reload is how the agent treats a change of its configuration file.
type Reload struct {
	Watch bool `yaml:"watch"` // true: a changed file is put in force by itself
}

// Default returns the configuration of a host where nothing was set.
func Default() Config {
	return Config{
		Docker:   Docker{Socket: "/var/run/docker.sock", Settle: 5 * time.Minute},
		ECS:      ECS{Introspection: "http://127.0.0.1:51678", Metadata: "http://127.0.0.1:51679"},
		API:      API{Socket: "/run/berth/berth.sock", Group: "berth"},
		StateDir: "/var/lib/berth",
		Logs: Logs{
			Roots:    []LogRoot{{Path: "/var/log/apps", Pattern: DefaultPattern}},
			Schedule: "0 * * * *", Splay: 10 * time.Minute,
			Grace: time.Hour, UnknownGrace: 24 * time.Hour, Undo: time.Hour,
			FirstSweepDelay: 24 * time.Hour, SweepShare: 10, SweepBytes: 25 << 30, SweepTime: 5 * time.Minute,
		},
		Images: Images{
			Schedule: "30 3 * * *", Splay: 30 * time.Minute,
			MinAge: 72 * time.Hour, Keep: []string{}, KeepNewest: 2, Dangling: time.Hour,
		},
		Disk: Disk{High: 85, Low: 70, Emergency: 98},
		Relay: Relay{
			Listen:   Listen{Interface: "docker0", Port: 8125},
			Upstream: Upstream{"udp://127.0.0.1:8125"},
			Origin:   "auto", ClientOrigin: KeepOrigin, Hold: 32 << 20,
			Block: map[string][]string{}, Labels: map[string]string{},
		},
		Publish: Publish{Store: Embedded, JMXMPPort: 5555, TTL: 90 * time.Second},
		Metrics: Metrics{Dogstatsd: "127.0.0.1:8125", Prefix: "berth.", Tags: []string{}},
		Log:     Log{Level: "info", Format: "auto"},
		Reload:  Reload{Watch: true},
	}
}

// DefaultPattern is the layout of a log root for which none is given.
const DefaultPattern = "{service}/containers/{id}"

// KeepOrigin and ReplaceOrigin are the values of relay.client_origin.
const (
	KeepOrigin    = "keep"
	ReplaceOrigin = "replace"
)

// Embedded is the publish.store that needs nothing outside this host.
const Embedded = "embedded"
