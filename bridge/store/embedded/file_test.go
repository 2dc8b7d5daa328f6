package embedded_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/embedded"
)

var key = store.Key{Cluster: "prod", Host: "h1"}

// record is this host's record with a certain number.
func record(seq uint64) store.Record {
	return store.Record{
		V: store.Version, Host: key.Host, Cluster: key.Cluster, Incarnation: "A", Seq: seq, State: store.OK,
		Mappings: []store.Mapping{{Service: "orders", Instance: 1, ID: "0123456789ab", Port: 5555, Protocol: "tcp", HostPort: 32801}},
	}
}

// open opens the store at path until the test ends.
func open(t *testing.T, path string) (*embedded.Store, string) {
	t.Helper()
	s, notice, err := embedded.Open(path, embedded.Options{Wait: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, notice
}

// publish publishes a record through a session of its own, which stays open.
func publish(t *testing.T, s store.Store, r store.Record) {
	t.Helper()
	session, err := s.Open(t.Context(), r.Key(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Publish(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// holds is the number of the one record in the store; 0 if there is none.
func holds(t *testing.T, s store.Store) uint64 {
	t.Helper()
	shot, err := s.List(t.Context(), key.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	if len(shot.Entries) == 0 {
		return 0
	}
	return shot.Entries[0].Record.Seq
}

// stored makes a store with one record and returns the path of its file.
func stored(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store")
	s, _ := open(t, path)
	publish(t, s, record(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheFileIsTheDaemonsAlone(t *testing.T) {
	path := stored(t)
	for range 2 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("mode %o, want 600", got)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, path)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFileInUseIsNamed(t *testing.T) {
	path := stored(t)
	first, _ := open(t, path)
	_, _, err := embedded.Open(path, embedded.Options{Wait: 10 * time.Millisecond})
	if !errors.Is(err, embedded.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want ErrLocked with the path", err)
	}
	publish(t, first, record(2))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, notice := open(t, path)
	if got := holds(t, second); got != 2 || notice != "" {
		t.Errorf("got record %d, notice %q; want 2 and none", got, notice)
	}
}

func TestAPlaceThatCannotHoldAFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none", "store")} {
		if _, _, err := embedded.Open(path, embedded.Options{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error that names it", path, err)
		}
	}
}

// TestADamagedFileIsMovedAside whatever is wrong with it, and the store works.
func TestADamagedFileIsMovedAside(t *testing.T) {
	whole, err := os.ReadFile(stored(t))
	if err != nil {
		t.Fatal(err)
	}
	first, rest, _ := bytes.Cut(whole, []byte("\n"))
	for name, text := range map[string][]byte{
		"another kind of file":  []byte("hello\n"),
		"noise":                 bytes.Repeat([]byte("\x00\xff\n"), 1000),
		"a line missing a byte": append(append(bytes.Clone(first[1:]), '\n'), rest...),
		"an empty line":         append([]byte("\n"), whole...),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			s, notice := open(t, path)
			if !strings.Contains(notice, path+".damaged") {
				t.Errorf("notice %q, want the new name in it", notice)
			}
			if aside, err := os.ReadFile(path + ".damaged"); err != nil || !bytes.Equal(aside, text) {
				t.Errorf("the damaged file was not kept: %v", err)
			}
			publish(t, s, record(2))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			again, notice := open(t, path)
			if got := holds(t, again); got != 2 || notice != "" {
				t.Errorf("got record %d, notice %q; want 2 and none", got, notice)
			}
		})
	}
}

// TestAFlippedByteIsNeverServed wherever it is: the store opens empty.
func TestAFlippedByteIsNeverServed(t *testing.T) {
	whole, err := os.ReadFile(stored(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "store")
	for at := range len(whole) - 1 { // the last one ends the last line
		flipped := bytes.Clone(whole)
		flipped[at] ^= 0x41
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		s, notice := open(t, path)
		if got := holds(t, s); got != 0 || notice == "" {
			t.Errorf("byte %d: got record %d, notice %q; want none, and a notice", at, got, notice)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestASuddenDeathCostsTheLastChangeAtMost wherever the file was cut.
func TestASuddenDeathCostsTheLastChangeAtMost(t *testing.T) {
	path := stored(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, path)
	publish(t, s, record(2))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := len(before); size <= len(whole); size++ {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		want := uint64(1)
		if size == len(whole) {
			want = 2
		}
		s, notice := open(t, path)
		if got := holds(t, s); got != want || notice != "" {
			t.Fatalf("cut at %d of %d: got record %d, notice %q; want %d", size, len(whole), got, notice, want)
		}
		publish(t, s, record(3))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, notice = open(t, path)
		if got := holds(t, s); got != 3 || notice != "" {
			t.Fatalf("cut at %d, and written: got record %d, notice %q; want 3", size, got, notice)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFileThatIsDamagedLaterIsReplaced by what is in memory.
func TestAFileThatIsDamagedLaterIsReplaced(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"cut":      func(path string) error { return os.Truncate(path, 10) },
		"removed":  os.Remove,
		"replaced": func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, []byte("x\n"), 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := stored(t)
			s, _ := open(t, path)
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			publish(t, s, record(2))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			again, notice := open(t, path)
			if got := holds(t, again); got != 2 || notice != "" {
				t.Errorf("after a restart: got record %d, notice %q; want 2 and none", got, notice)
			}
		})
	}
}

// TestAFileThatCannotBeWrittenIsToldAndTheRecordHolds until it can be again.
func TestAFileThatCannotBeWrittenIsToldAndTheRecordHolds(t *testing.T) {
	path := stored(t)
	s, _ := open(t, path)
	session, err := s.Open(t.Context(), key, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// A folder in its place keeps a new file out, whoever runs the test.
	if err := errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := session.Publish(t.Context(), record(2)); err == nil || errors.Is(err, store.ErrFenced) {
			t.Errorf("got %v, want the file's error", err)
		}
		if got := holds(t, s); got != 2 {
			t.Errorf("got record %d, want 2", got)
		}
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := session.Publish(t.Context(), record(2)); err != nil {
		t.Errorf("with the way free: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, _ := open(t, path)
	if got := holds(t, again); got != 2 {
		t.Errorf("after a restart: got record %d, want 2", got)
	}
}

func TestTheFileStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s, _ := open(t, path)
	session, err := s.Open(t.Context(), key, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	largest := int64(0)
	for seq := range uint64(2000) {
		if err := session.Publish(t.Context(), record(seq+1)); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	if largest > 80<<10 {
		t.Errorf("the file grew to %d bytes", largest)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, _ := open(t, path)
	if got := holds(t, again); got != 2000 {
		t.Errorf("got record %d, want 2000", got)
	}
}

func TestARecordOfALaterVersionIsLeftOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	body := `{"key":"berth/v1/prod/h/h1","rev":7,"ttl_ns":60000000000,"record":{"v":2,"host":7}}`
	sum := crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli))
	if err := os.WriteFile(path, fmt.Appendf(nil, "%08x %s\n", sum, body), 0o600); err != nil {
		t.Fatal(err)
	}
	s, notice := open(t, path)
	if got := holds(t, s); got != 0 || !strings.Contains(notice, "later version") {
		t.Errorf("got record %d, notice %q", got, notice)
	}
}

// TestNothingIsWrittenWhileNothingChanges although the record is held and
// published again and again.
func TestNothingIsWrittenWhileNothingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "store")
		s, _ := open(t, path)
		publish(t, s, record(1))
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			<-time.After(time.Hour)
			publish(t, s, record(1))
		}
		after, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) {
			t.Error("the file was written")
		}
	})
}
