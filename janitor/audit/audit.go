package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/berth-dev/berth/janitor/internal/kernel"
)

// Bounds of what is kept.
const (
	MaxSegments = 8
	SegmentSize = 8 << 20 // bytes
	MaxAge      = 90 * 24 * time.Hour
)

// What a record is about.
const (
	Removed    = "removed"    // moved out of reach; can be restored
	Refused    = "refused"    // was planned, and kept after all
	Restored   = "restored"   // brought back
	Purged     = "purged"     // deleted for good
	Kept       = "kept"       // is kept for another reason than before
	Blind      = "blind"      // a sweep that removed nothing because it could not see
	Recovered  = "recovered"  // found after a crash and finished or rolled back
	Archived   = "archived"   // saved before it was deleted for good, or why not
	Compressed = "compressed" // files of a living container, where they lie
	Disk       = "disk"       // a file system became short of space, or has room again
	Planned    = "planned"    // a sweep that only planned
)

// A Record is one thing that was done, or not done, and why.
type Record struct {
	Seq       uint64    `json:"seq"`
	Time      time.Time `json:"time"`
	Action    string    `json:"action"`
	Kind      string    `json:"kind,omitempty"` // image, container or volume; empty: a log folder, or a disk
	Path      string    `json:"path,omitempty"`
	Service   string    `json:"service,omitempty"`
	Container string    `json:"container,omitempty"` // the folder's name: 12 or 64 digits
	Plan      string    `json:"plan,omitempty"`
	Code      string    `json:"code,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Bytes     int64     `json:"bytes,omitempty"`
	By        string    `json:"by,omitempty"`
	Prev      string    `json:"prev"` // SHA-256 of the record before, in hexadecimal; empty for the first
}

// A Log may be used from many goroutines.
type Log struct {
	dir     string
	finding sync.Mutex // one question at a time: it may write an index. Before mu

	mu    sync.Mutex // guards the fields below
	file  *segment
	began time.Time // of the oldest record in it; zero: it has none
	seq   uint64
	last  string // hash of the newest record
}

// Open opens or makes the audit in a folder.
func Open(dir string) (*Log, error) {
	l := &Log{dir: dir}
	if err := kernel.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open audit: %w", err)
	}
	names, err := l.segments()
	if err == nil {
		err = l.resume(names)
	}
	if err != nil {
		return nil, fmt.Errorf("open audit: %w", err)
	}
	return l, nil
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Append gives the records their numbers and places in the chain and returns
// once they are on disk.
func (l *Log) Append(records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.rotate(time.Now()); err != nil {
		return fmt.Errorf("write audit: %w", err)
	}
	values, seq, last := make([]any, len(records)), l.seq, l.last
	for i, r := range records {
		seq++
		r.Seq, r.Prev, r.Time = seq, last, r.Time.UTC()
		body, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("write audit: %w", err)
		}
		values[i], last = json.RawMessage(body), hash(body)
	}
	if err := l.file.Write(values...); err != nil {
		// They may be in the file and only not be synced: the chain goes on from there.
		return fmt.Errorf("write audit: %w", errors.Join(err, l.read(l.file)))
	}
	if l.seq, l.last = seq, last; l.began.IsZero() {
		l.began = records[0].Time
	}
	l.file.reserve()
	return nil
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
