package audit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/journal"
)

func segments(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// A crash may come between a new segment and its first record.
func TestTheChainGoesOnBehindAnEmptySegment(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	if err := l.Append(record(1, "it is gone"), record(2, "it is gone")); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := os.WriteFile(filepath.Join(dir, "audit-000000000003.log"), []byte("1c29"), 0o600); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	if err := l.Append(record(3, "it is gone")); err != nil {
		t.Fatal(err)
	}
	if err := l.Verify(); err != nil {
		t.Error(err)
	}
	if found, err := l.Find("", 1); err != nil || found[0].Seq != 3 || found[0].Prev == "" {
		t.Errorf("the newest is %+v, %v; want the third of the chain", found, err)
	}
	if n := len(segments(t, dir)); n != 2 {
		t.Errorf("%d segments, want 2", n)
	}
}

// J6: who knows how the file is made can forge a record, but not the chain:
// the records behind it show it, and the daemon knows the last.
func TestJ6AForgedEndShows(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for n := range 5 {
		if err := l.Append(record(n, "it is gone")); err != nil {
			t.Fatal(err)
		}
	}
	path := segments(t, dir)[0]
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	for name, forged := range map[string][]byte{
		"the newest was cut off": bytes.Join(lines[:4], nil),
		"one was edited":         bytes.Join(slices.Concat(lines[:2], [][]byte{forge(t, lines[2])}, lines[3:]), nil),
		"the newest was edited":  bytes.Join(append(slices.Clone(lines[:4]), forge(t, lines[4])), nil),
	} {
		if err := os.WriteFile(path, forged, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.Verify(); err == nil {
			t.Errorf("%s, and nothing shows", name)
		}
	}
}

// forge edits a line and gives it the right checksum.
func forge(t *testing.T, line []byte) []byte {
	t.Helper()
	body, err := journal.Decode(bytes.TrimSuffix(line, []byte("\n")))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := journal.Encode(rawJSON(bytes.Replace(body, []byte("it is gone"), []byte("it is here"), 1)))
	if err != nil {
		t.Fatal(err)
	}
	return forged
}

type rawJSON []byte

func (b rawJSON) MarshalJSON() ([]byte, error) { return b, nil }

// On a host where little happens, a segment ends by time: else the record of
// last year would stay as long as this one is not full.
func TestASegmentEndsByTimeToo(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	old := record(1, "it is gone")
	old.Time = time.Now().Add(-audit.MaxAge)
	if err := l.Append(old); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(segments(t, dir)[0], time.Time{}, old.Time); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		_ = l.Close()
		l = open(t, dir)
		if err := l.Append(record(n, "it is gone")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(segments(t, dir)); n != 2 {
		t.Errorf("%d segments, want the old and the new", n)
	}
	if err := l.Verify(); err != nil {
		t.Error(err)
	}
}

func TestWhatNamesNothingFindsNothing(t *testing.T) {
	l := open(t, t.TempDir())
	if err := l.Append(record(1, "it is gone")); err != nil {
		t.Fatal(err)
	}
	for _, object := range []string{"/", "/var/log/apps/", "orders", "000000000001/"} {
		if found, err := l.Find(object, 10); err != nil || len(found) > 0 {
			t.Errorf("Find(%q) = %+v, %v", object, found, err)
		}
	}
}
