package logs_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/journal"
	"github.com/berth-dev/berth/janitor/logs"
)

// A tail is how far the model has read the audit.
type tail struct {
	file   string
	offset int64
	seq    uint64
	prev   string
	said   map[string]bool // "action path"; of removals with the plan
	fresh  map[string]bool // the same, since the present act began
}

func said(r audit.Record) []string {
	return []string{r.Action + " " + r.Path, r.Action + " " + r.Path + " " + r.Plan}
}

// read takes in what was written into the audit, and holds it against the chain.
func (m *model) read() {
	t := &m.tail
	if t.said == nil {
		t.said = map[string]bool{}
	}
	t.fresh = map[string]bool{}
	segments, err := filepath.Glob(m.abs("audit/audit-*.log"))
	m.must(err)
	slices.Sort(segments)
	for _, path := range segments {
		if path < t.file {
			continue
		}
		if path > t.file {
			t.file, t.offset = path, 0
		}
		m.readSegment(t, path)
	}
}

func (m *model) readSegment(t *tail, path string) {
	file, err := os.Open(path)
	m.must(err)
	defer file.Close()
	st, err := file.Stat()
	m.must(err)
	if st.Size() < t.offset {
		m.fail("the audit has become shorter")
		return
	}
	text := make([]byte, st.Size()-t.offset)
	_, err = file.ReadAt(text, t.offset)
	m.must(err)
	for line := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) {
		body, err := journal.Decode(line[:len(line)-1])
		var r audit.Record
		if err == nil {
			err = json.Unmarshal(body, &r)
		}
		if err != nil || t.seq != 0 && (r.Seq != t.seq+1 || r.Prev != t.prev) {
			m.fail("the audit's chain is broken after record %d: %q, %v", t.seq, line, err)
			return
		}
		sum := sha256.Sum256(body)
		t.seq, t.prev = r.Seq, hex.EncodeToString(sum[:])
		for _, s := range said(r) {
			t.said[s], t.fresh[s] = true, true
		}
		t.offset += int64(len(line))
	}
}

// reported holds the report of a sweep against the audit and the looks.
func (m *model) reported(a *act) {
	r, t := a.report, m.tail
	if !a.swept {
		return
	}
	if n := len(r.Removed) + len(r.Purged); n > 0 && (r.Plan.Blind != "" || r.DryRun) {
		m.fail("J2: %d folders were removed or deleted by a blind sweep: %s", n, r.Plan.Blind)
	}
	asked := a.lie != noProcesses || slices.ContainsFunc(r.Plan.Decisions, func(d logs.Decision) bool { return d.Code != logs.CodeListed })
	if len(a.good) > 0 && !a.good[0] && asked && r.Plan.Blind == "" {
		m.fail("J2: the first look was not the truth (lie %d, looks %v), and the plan is not blind; the clock is at %v, %+v\n%s",
			a.lie, a.good, m.now(), m.ledger.View(), r.Plan.Text())
	}
	if m.err != nil || a.killed || a.failed {
		return // the reports of the dead, and what could not be written
	}
	for _, o := range r.Removed {
		if !t.fresh["removed "+o.Path] {
			m.fail("J6: %q was removed, and there is no record", o.Path)
		}
	}
	for _, o := range r.Purged {
		if !t.fresh["purged "+o.Path] {
			m.fail("J6: %q was deleted, and there is no record", o.Path)
		}
	}
	for _, o := range r.Refused {
		if !t.fresh["refused "+o.Path] && !t.fresh["restored "+o.Path] {
			m.fail("J6: %q was refused, and there is no record: %s %s", o.Path, o.Code, o.Reason)
		}
	}
}
