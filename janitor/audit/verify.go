package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/berth-dev/berth/janitor/journal"
)

// Verify walks the chain and returns an error that names the first record
// that does not fit, or nil. It ends with the record that was written last; the
// oldest record's predecessor may be gone.
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
	if seq != l.seq || prev != l.last {
		return fmt.Errorf("verify audit: it ends with record %d, but %d was written last, and otherwise", seq, l.seq)
	}
	return nil
}
