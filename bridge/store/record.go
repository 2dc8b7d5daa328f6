package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
)

// Version is the version of the records that this build writes and reads.
const Version = 1

// MaxRecord is the largest encoded record in bytes: a thousand mappings, and
// less than any engine's limit (DynamoDB: 400 KB, etcd: 1.5 MB).
const MaxRecord = 256 << 10

// States of a host.
const (
	OK         = "ok"
	Draining   = "draining"
	DockerDown = "docker-down" // Docker does not answer; the rest is as it was last seen
)

// A Record is what one host says of itself. Fields that are empty outside ECS
// are left out of its JSON.
type Record struct {
	V           int64        `json:"v"`    // [Version]
	Host        string       `json:"host"` // ID; on EC2 the instance's
	Cluster     string       `json:"cluster"`
	Instance    string       `json:"ci,omitempty"`   // ECS container instance ID
	IP          netip.Addr   `json:"ip,omitzero"`    // where other hosts reach it; absent if unknown
	Boot        string       `json:"boot,omitempty"` // differs from boot to boot
	Incarnation string       `json:"inc"`            // see [Record.Ahead]
	Seq         uint64       `json:"seq"`            // counts the changes of an incarnation's record
	State       string       `json:"state"`          // ok, draining or docker-down
	Reservation *Reservation `json:"rsv,omitempty"`  // absent: not known
	Mappings    []Mapping    `json:"maps"`           // JMXMP first
	Cut         int          `json:"cut,omitempty"`  // mappings left out because the record would be too large
	Extra       Extra        `json:"-"`
}

// A Reservation is what of the host is taken.
type Reservation struct {
	CPU      Vector `json:"cpu"`      // units, 1024 to a core
	Memory   Vector `json:"mem"`      // MiB
	GPU      Vector `json:"gpu"`      // whole GPUs
	Tasks    int    `json:"tasks"`    // that hold something
	Pending  int    `json:"pending"`  // of these, not running yet
	Stopping int    `json:"stopping"` // of these, on their way out
	Unknown  int    `json:"unknown"`  // tasks whose size is not known
	ErrCPU   int64  `json:"err_cpu"`  // units by which cpu may be too high
	Exact    bool   `json:"exact"`    // the figures are those of the ECS agent
	Source   string `json:"src"`      // where the sizes come from
	// Ports are the host ports that tasks demand for themselves: "8080/tcp".
	Ports []string `json:"ports,omitempty"`
	// Shapes are what the tasks that are not to stop hold, like ones together:
	// what packing them onto other hosts needs. Tasks of unknown size, and those
	// beyond the most numerous shapes, are in Tasks alone.
	Shapes []Shape `json:"shapes,omitempty"`
	Extra  Extra   `json:"-"`
}

// A Shape is what each of several like tasks holds.
type Shape struct {
	Service string   `json:"svc"`
	ECS     string   `json:"ecs,omitempty"` // the service as ECS names it
	Family  string   `json:"fam,omitempty"`
	CPU     int64    `json:"cpu"`
	Memory  int64    `json:"mem"`
	GPU     int64    `json:"gpu,omitempty"`
	Ports   []string `json:"ports,omitempty"`
	Tasks   int      `json:"n"`
	Extra   Extra    `json:"-"`
}

// A Vector is one resource.
type Vector struct {
	Registered int64 `json:"reg"`
	Scheduled  int64 `json:"sched"` // as the control plane counts: without tasks that are stopping
	Host       int64 `json:"host"`  // as the ECS agent counts: until they have stopped
	Unmanaged  int64 `json:"unmanaged"`
	Extra      Extra `json:"-"`
}

// A Mapping is one published port of one container.
type Mapping struct {
	Service   string     `json:"svc"`
	Instance  int        `json:"n"`              // among the service's on the host, oldest first, from 1
	Family    string     `json:"fam,omitempty"`  // ECS task definition family and revision
	Task      string     `json:"task,omitempty"` // ECS task ID, the end of its ARN
	Container string     `json:"ctr"`            // name in the task definition or compose file
	ID        string     `json:"id"`             // the first 12 digits
	Port      uint16     `json:"c"`              // inside the container
	Protocol  string     `json:"p"`
	IP        netip.Addr `json:"ip,omitzero"` // absent if other hosts cannot reach it, or the host's address is unknown
	HostPort  uint16     `json:"h"`
	Local     bool       `json:"local,omitempty"`  // other hosts cannot reach it
	Paused    bool       `json:"paused,omitempty"` // accepts connections and does not answer
	Name      string     `json:"name,omitempty"`   // jmxmp
	URL       string     `json:"url,omitempty"`    // JMX service URL
	Health    string     `json:"health,omitempty"`
	Since     int64      `json:"since,omitempty"` // start of the container, Unix seconds
	Extra     Extra      `json:"-"`
}

// Key is where the record belongs.
func (r Record) Key() Key { return Key{Cluster: r.Cluster, Host: r.Host} }

// Hash identifies the content: all but the incarnation and the sequence
// number. It changes when there is something to publish, and never with time.
func (r Record) Hash() string {
	r.Incarnation, r.Seq = "", 0
	text, err := json.Marshal(r)
	if err != nil {
		return "" // an Extra that is not JSON: Encode refuses it
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Ahead reports whether the record may replace one that is there: its
// incarnation is younger, or the same and its sequence number higher.
func (r Record) Ahead(of Record) bool {
	return cmp.Or(cmp.Compare(r.Incarnation, of.Incarnation), cmp.Compare(r.Seq, of.Seq)) > 0
}

// Same reports whether both are one and the same record.
func (r Record) Same(as Record) bool {
	return r.Incarnation == as.Incarnation && r.Seq == as.Seq && r.Hash() == as.Hash()
}

// Encode returns the canonical JSON of a record that belongs where it says. It
// is ErrTooLarge beyond MaxRecord.
func Encode(r Record) ([]byte, error) {
	if err := r.Key().Check(); err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	if r.V != Version {
		return nil, fmt.Errorf("encode record: %w", &VersionError{V: r.V})
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	if len(text) > MaxRecord {
		return nil, fmt.Errorf("encode record of %d bytes: %w", len(text), ErrTooLarge)
	}
	return text, nil
}

// Decode reads a record. It is ErrVersion for one of another version, whatever
// else is in it.
func Decode(text []byte) (Record, error) {
	if len(text) > MaxRecord {
		return Record{}, fmt.Errorf("decode record of %d bytes: %w", len(text), ErrTooLarge)
	}
	var r Record
	version, err := peekVersion(text)
	if err == nil && version != Version {
		err = &VersionError{V: version}
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err == nil {
		err = r.Key().Check()
	}
	if err != nil {
		return Record{}, fmt.Errorf("decode record: %w", err)
	}
	return r, nil
}
