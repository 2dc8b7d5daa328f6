package audit_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/janitor/audit"
)

func open(t *testing.T, dir string) *audit.Log {
	t.Helper()
	l, err := audit.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func record(n int, reason string) audit.Record {
	name := fmt.Sprintf("%012x", n)
	return audit.Record{
		Time: time.Now(), Action: audit.Removed, Path: "/var/log/apps/orders/containers/" + name,
		Service: "orders", Container: name, Code: "gone", Reason: reason,
	}
}

func TestRecordsAreFoundByFolderAndContainer(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for n := range 10 {
		if err := l.Append(record(n, "it is gone"), record(n+100, "<&> \u2028")); err != nil {
			t.Fatal(err)
		}
	}
	_ = l.Close()
	l = open(t, dir)
	for object, want := range map[string]int{
		"": 20, "000000000003": 1, "/var/log/apps/orders/containers/000000000003": 1,
		"000000000003" + strings.Repeat("a", 52): 1, "0000000000": 20, "ffffffffffff": 0, "/var/log/apps": 0,
	} {
		found, err := l.Find(object, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != want {
			t.Errorf("Find(%q) found %d, want %d", object, len(found), want)
		}
	}
	newest, err := l.Find("", 3)
	if err != nil || len(newest) != 3 || newest[2].Seq != 20 {
		t.Errorf("the newest three are %+v, %v", newest, err)
	}
}

// J6: a record that is changed, dropped or added behind the audit's back
// shows, even where its checksum fits.
func TestJ6AChangedRecordBreaksTheChain(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for n := range 5 {
		if err := l.Append(record(n, "it is gone")); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Verify(); err != nil {
		t.Fatalf("an untouched audit: %v", err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte{'\n'})
	changes := map[string][]byte{
		"dropped": bytes.Join(append(append([][]byte{}, lines[:2]...), lines[3:]...), nil),
		"doubled": bytes.Join(append(append([][]byte{}, lines[:2]...), lines[1:]...), nil),
		"edited":  bytes.Replace(text, []byte("it is gone"), []byte("it is here"), 1),
	}
	for name, changed := range changes {
		if err := os.WriteFile(paths[0], changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.Verify(); err == nil {
			t.Errorf("a record was %s and nothing shows", name)
		}
	}
}

func TestTheAuditIsBounded(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	batch := make([]audit.Record, 2000)
	for i := range batch {
		batch[i] = record(i, strings.Repeat("x", 4000))
	}
	for range 12 {
		if err := l.Append(batch...); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(paths) > audit.MaxSegments {
		t.Errorf("%d segments, want at most %d; %v", len(paths), audit.MaxSegments, err)
	}
	if err := l.Verify(); err != nil {
		t.Errorf("after old segments went: %v", err)
	}
	if found, err := l.Find("", 10); err != nil || found[9].Seq != 24000 {
		t.Errorf("newest is %+v, %v", found, err)
	}
}
