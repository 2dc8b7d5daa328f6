package audit_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/audit"
)

// kilobytes is a reason that makes a record large.
var kilobytes = strings.Repeat("x", 8000)

// large fills some segments and begins another. Every container has a record
// in each of them.
func large(t *testing.T, l *audit.Log) {
	t.Helper()
	for range 2 {
		var batch []audit.Record
		for n := range 1100 {
			batch = append(batch, record(n*7919, kilobytes))
		}
		if err := l.Append(batch...); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 10 {
		if err := l.Append(record(n*7919, "in the newest")); err != nil {
			t.Fatal(err)
		}
	}
}

func indexes(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.index"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// finds checks that questions about containers get all of their records.
func finds(t *testing.T, l *audit.Log, what string) {
	t.Helper()
	name := fmt.Sprintf("%012x", 3*7919)
	for object, want := range map[string]int{
		name: 3, name + strings.Repeat("a", 52): 3, "/var/log/apps/orders/containers/" + name: 3,
		fmt.Sprintf("%012x", 1099*7919): 2, name[:11]: 3, "00000000": 27,
		"/var/log/apps/payments/containers/" + name: 0, "000000000001": 0, "ffff": 0, "00000000000g": 0,
	} {
		found, err := l.Find(object, 5000)
		if err != nil || len(found) != want {
			t.Errorf("%s: Find(%q) found %d, want %d; %v", what, object, len(found), want, err)
		}
		if !slices.IsSortedFunc(found, func(a, b audit.Record) int { return int(a.Seq) - int(b.Seq) }) {
			t.Errorf("%s: Find(%q) is not in order", what, object)
		}
		if newest, err := l.Find(object, 1); err != nil || want > 0 && newest[0].Seq != found[want-1].Seq {
			t.Errorf("%s: the newest of %q is %v, %v", what, object, newest, err)
		}
	}
}

// The index is a help and no more: whatever has become of it, the answer is
// that of the segments.
func TestWhateverBecomesOfAnIndexTheAnswerIsTheSame(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	large(t, l)
	finds(t, l, "without an index")
	if n := len(indexes(t, dir)); n != 2 {
		t.Fatalf("%d indexes, want one for each closed segment", n)
	}
	finds(t, l, "with an index")
	for name, spoil := range map[string]func(all [][]byte, i int) []byte{
		"missing":            func([][]byte, int) []byte { return nil },
		"empty":              func([][]byte, int) []byte { return []byte{} },
		"cut off":            func(all [][]byte, i int) []byte { return all[i][:len(all[i])/2] },
		"cut off by entries": func(all [][]byte, i int) []byte { return all[i][:len(all[i])-160] },
		"flipped":            func(all [][]byte, i int) []byte { b := bytes.Clone(all[i]); b[len(b)/2] ^= 1; return b },
		"another segment's":  func(all [][]byte, i int) []byte { return all[(i+1)%len(all)] },
		"zeros":              func(all [][]byte, i int) []byte { return make([]byte, len(all[i])) },
	} {
		var all [][]byte
		for _, path := range indexes(t, dir) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b)
		}
		for i, path := range indexes(t, dir) {
			spoiled := spoil(all, i)
			err := os.Remove(path)
			if err == nil && spoiled != nil {
				err = os.WriteFile(path, spoiled, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		finds(t, l, "index "+name)
		for i, path := range indexes(t, dir) {
			if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, all[i]) {
				t.Errorf("index %s: it was not made anew; %v", name, err)
			}
		}
	}
}

// A crash may take the end of the newest segment back, and what is written
// then lies elsewhere.
func TestAnIndexOfWhatACrashTookBackIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var all []audit.Record
	for n := range 200 {
		all = append(all, record(n, kilobytes[:4000]))
	}
	if err := l.Append(all...); err != nil {
		t.Fatal(err)
	}
	if found, err := l.Find("000000000007", 10); err != nil || len(found) != 1 || len(indexes(t, dir)) != 1 {
		t.Fatalf("found %d, %d indexes, %v", len(found), len(indexes(t, dir)), err)
	}
	_ = l.Close()
	if err := os.Truncate(segments(t, dir)[0], 100_000); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	for n := range 1000 {
		if err := l.Append(record(1000+n, kilobytes[:n])); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[int]int{7: 1, 150: 0, 1000: 1, 1150: 1, 1999: 1} {
		if found, err := l.Find(fmt.Sprintf("%012x", name), 10); err != nil || len(found) != want {
			t.Errorf("record %d is found %d times, want %d; %v", name, len(found), want, err)
		}
	}
}

func TestAnIndexGoesWithItsSegment(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	old := record(1, kilobytes)
	old.Time = time.Now().Add(-audit.MaxAge)
	if err := l.Append(slices.Repeat([]audit.Record{old}, 40)...); err != nil {
		t.Fatal(err)
	}
	if found, err := l.Find(old.Container, 100); err != nil || len(found) != 40 || len(indexes(t, dir)) != 1 {
		t.Fatalf("found %d, %d indexes, %v", len(found), len(indexes(t, dir)), err)
	}
	first := segments(t, dir)[0]
	if err := l.Append(old); err != nil { // begins the next
		t.Fatal(err)
	}
	if err := os.Chtimes(first, time.Time{}, old.Time.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(old); err != nil { // and drops the first
		t.Fatal(err)
	}
	if _, err := os.Stat(first); err == nil || len(indexes(t, dir)) != 0 {
		t.Errorf("%v, and %d indexes", err, len(indexes(t, dir)))
	}
}

// A question can be asked on a full disk.
func TestWhereNoIndexCanBeWrittenTheSegmentIsSearched(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=40m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	l := open(t, filepath.Join(dir, "audit"))
	large(t, l)
	fill(t, filepath.Join(dir, "big.log"))
	finds(t, l, "on a full disk")
	if left, err := filepath.Glob(filepath.Join(dir, "audit/*.index*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func BenchmarkFind(b *testing.B) {
	dir := b.TempDir()
	l, err := audit.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for n := 0; ; n++ {
		var batch []audit.Record
		for i := range 1000 {
			batch = append(batch, record((n*1000+i)*7919*7919, "its container was removed at 2026-01-01T00:00:00Z; last change 2026-01-01T00:00:00Z, 50 files, 204800 bytes"))
		}
		if err := l.Append(batch...); err != nil {
			b.Fatal(err)
		}
		if paths, _ := filepath.Glob(filepath.Join(dir, "*.log")); len(paths) == audit.MaxSegments {
			if info, err := os.Stat(paths[len(paths)-1]); err == nil && info.Size() > audit.SegmentSize*9/10 {
				break
			}
		}
	}
	if _, err := l.Find("ffff", 1); err != nil { // makes the indexes
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if found, err := l.Find(fmt.Sprintf("%012x", 77*7919*7919), 200); err != nil || len(found) != 1 {
			b.Fatal(len(found), err)
		}
	}
}
