package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berth-dev/berth/janitor/journal"
)

// Bounds of what is kept.
const (
	MaxSegments = 8
	SegmentSize = 8 << 20 // bytes
	MaxAge      = 90 * 24 * time.Hour
)

// What a record is about.
const (
	Removed   = "removed"   // moved out of reach; can be restored
	Refused   = "refused"   // was planned, and kept after all
	Restored  = "restored"  // brought back
	Purged    = "purged"    // deleted for good
	Kept      = "kept"      // is kept for another reason than before
	Blind     = "blind"     // a sweep that removed nothing because it could not see
	Recovered = "recovered" // found after a crash and finished or rolled back
)

// A Record is one thing that was done, or not done, and why.
type Record struct {
	Seq       uint64    `json:"seq"`
	Time      time.Time `json:"time"`
	Action    string    `json:"action"`
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
	dir string

	mu   sync.Mutex // guards the fields below
	file *journal.File
	seq  uint64
	last string // hash of the newest record
	bad  int
}

// Open opens or makes the audit in a folder.
func Open(dir string) (*Log, error) {
	l := &Log{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open audit: %w", err)
	}
	names, err := l.segments()
	if err == nil {
		name := segmentName(1)
		if len(names) > 0 {
			name = names[len(names)-1]
		}
		err = l.use(name)
	}
	if err != nil {
		return nil, fmt.Errorf("open audit: %w", err)
	}
	return l, nil
}

func segmentName(first uint64) string { return fmt.Sprintf("audit-%012d.log", first) }

// segments returns the names of the files, oldest first.
func (l *Log) segments() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(l.dir, "audit-*.log"))
	for i, p := range paths {
		paths[i] = filepath.Base(p)
	}
	slices.Sort(paths)
	return paths, err
}

// use opens a segment and reads how far it has come.
func (l *Log) use(name string) error {
	file, err := journal.Open(filepath.Join(l.dir, name))
	if err != nil {
		return err
	}
	var newest []byte
	bad, err := file.Replay(func(b []byte) error { newest = b; return nil })
	if err == nil && newest != nil {
		var r Record
		err = json.Unmarshal(newest, &r)
		l.seq, l.last = r.Seq, hash(newest)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.bad = file, l.bad+bad
	return nil
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
	if err := l.rotate(); err != nil {
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
		return fmt.Errorf("write audit: %w", err)
	}
	l.seq, l.last = seq, last
	return nil
}

// rotate begins a new segment if this one is full, and drops old ones.
func (l *Log) rotate() error {
	if l.file.Size() < SegmentSize {
		return nil
	}
	fresh, err := journal.Open(filepath.Join(l.dir, segmentName(l.seq+1)))
	if err != nil {
		return err
	}
	old := l.file
	l.file = fresh
	names, err := l.segments()
	for i, name := range names {
		path := filepath.Join(l.dir, name)
		info, statErr := os.Stat(path)
		if statErr == nil && (i < len(names)-MaxSegments || time.Since(info.ModTime()) > MaxAge) {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return errors.Join(err, old.Close())
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// Find returns the newest records, at most limit, oldest first, whose folder
// or container object names: a path, or the leading digits of an ID. An empty
// object finds all.
func (l *Log) Find(object string, limit int) ([]Record, error) {
	l.mu.Lock()
	names, err := l.segments()
	l.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	var found []Record
	for _, name := range slices.Backward(names) {
		part, err := find(filepath.Join(l.dir, name), object)
		if err != nil {
			return nil, fmt.Errorf("read audit: %w", err)
		}
		found = append(part, found...)
		if len(found) >= limit {
			return found[len(found)-limit:], nil
		}
	}
	return found, nil
}

// find reads one segment. Lines that cannot hold the object are not parsed.
func find(path, object string) ([]Record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	hint := []byte(hint(object))
	var found []Record
	for line := range bytes.Lines(text) {
		if !bytes.Contains(line, hint) {
			continue
		}
		body, err := journal.Decode(bytes.TrimSuffix(line, []byte{'\n'}))
		if err != nil {
			continue // torn, or counted as damaged when it was opened
		}
		var r Record
		if json.Unmarshal(body, &r) == nil && r.names(object) {
			found = append(found, r)
		}
	}
	return found, nil
}

// hint is a part of the object that its lines hold as it is.
func hint(object string) string {
	object = object[strings.LastIndexByte(object, '/')+1:]
	return object[:min(len(object), 12)]
}

func (r Record) names(object string) bool {
	switch {
	case object == "" || r.Path == object:
		return true
	case r.Container == "" || strings.Contains(object, "/"):
		return false
	}
	return strings.HasPrefix(r.Container, object) || strings.HasPrefix(object, r.Container)
}

// Verify walks the chain and returns an error that names the first record
// that does not fit, or nil. The oldest record's predecessor may be gone.
func (l *Log) Verify() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	names, err := l.segments()
	if err != nil {
		return fmt.Errorf("verify audit: %w", err)
	}
	seq, prev := uint64(0), ""
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(l.dir, name))
		if err != nil {
			return fmt.Errorf("verify audit: %w", err)
		}
		for line := range bytes.Lines(text) {
			body, err := journal.Decode(bytes.TrimSuffix(line, []byte{'\n'}))
			var r Record
			if err == nil {
				err = json.Unmarshal(body, &r)
			}
			switch {
			case err != nil:
				return fmt.Errorf("verify audit: %s after record %d: %w", name, seq, err)
			case seq != 0 && (r.Seq != seq+1 || r.Prev != prev):
				return fmt.Errorf("verify audit: %s: record %d does not follow record %d", name, r.Seq, seq)
			}
			seq, prev = r.Seq, hash(body)
		}
	}
	return nil
}
