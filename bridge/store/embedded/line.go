package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// A line is one change in the file: eight digits of CRC-32C, a blank, and this
// as JSON.
type line struct {
	Key    string          `json:"key,omitempty"` // empty: the revision alone
	Rev    store.Rev       `json:"rev"`
	TTL    time.Duration   `json:"ttl_ns,omitempty"`
	Record json.RawMessage `json:"record,omitempty"` // absent: removed
}

// saved is a record with what has to be kept beside it.
type saved struct {
	rev    store.Rev
	ttl    time.Duration
	record store.Record
}

// contents is what a file says.
type contents struct {
	rev     store.Rev
	records map[store.Key]saved
	later   int   // records of a later version, left out
	size    int64 // of the good part in bytes
}

// errDamaged is a file that is not, or no longer, a sound journal.
var errDamaged = errors.New("the file is damaged")

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// encode returns the line of one change; now is nil for a removal.
func encode(key store.Key, rev store.Rev, now *saved) ([]byte, error) {
	l := line{Key: key.String(), Rev: rev}
	if now != nil {
		record, err := store.Encode(now.record)
		if err != nil {
			return nil, err
		}
		l.Rev, l.TTL, l.Record = now.rev, now.ttl, record
	}
	return l.encode()
}

func (l line) encode() ([]byte, error) {
	body, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", checksum(body), body), nil
}

// read takes in a whole file. It is errDamaged if any line but an unfinished
// last one is not as it was written.
func read(from io.Reader) (contents, error) {
	found := contents{records: map[store.Key]saved{}}
	text, err := io.ReadAll(from)
	if err != nil {
		return found, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	found.size = int64(len(text))
	number := 0
	for l := range bytes.Lines(text) {
		number++
		if err := found.add(bytes.TrimSuffix(l, []byte("\n"))); err != nil {
			return found, fmt.Errorf("%w: line %d: %w", errDamaged, number, err)
		}
	}
	return found, nil
}

// add applies one line. A record of a later version is left out: its host's
// agent, this one, was replaced by an older one and will publish anew.
func (c *contents) add(text []byte) error {
	sum, body, _ := bytes.Cut(text, []byte{' '})
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || len(sum) != 8 || checksum(body) != uint32(want) {
		return errors.New("bad checksum")
	}
	var l line
	if err := json.Unmarshal(body, &l); err != nil {
		return err
	}
	c.rev = max(c.rev, l.Rev)
	if l.Key == "" {
		return nil
	}
	key, err := store.ParseKey(l.Key)
	if err != nil {
		return err
	}
	delete(c.records, key)
	if l.Record == nil {
		return nil
	}
	record, err := store.Decode(l.Record)
	switch {
	case errors.Is(err, store.ErrVersion):
		c.later++
	case err != nil:
		return err
	case record.Key() != key || l.TTL <= 0:
		return fmt.Errorf("no record of %s", key)
	default:
		c.records[key] = saved{rev: l.Rev, ttl: l.TTL, record: record}
	}
	return nil
}
