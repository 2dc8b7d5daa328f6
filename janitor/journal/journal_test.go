package journal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/berth-dev/berth/janitor/journal"
)

func replay(t *testing.T, path string) (lines []string, bad int) {
	t.Helper()
	f, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bad, err = f.Replay(func(b []byte) error { lines = append(lines, string(b)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return lines, bad
}

func written(t *testing.T, values ...any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal")
	f, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Write(values...); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatWasWrittenIsReplayed(t *testing.T) {
	lines, bad := replay(t, written(t, 1, "two", []int{3}))
	if want := []string{"1", `"two"`, "[3]"}; !slices.Equal(lines, want) || bad != 0 {
		t.Errorf("replayed %q with %d bad, want %q", lines, bad, want)
	}
}

// A crash may end the file at any byte: what was whole stays, what was torn
// goes, and the next line is not spoiled by it.
func TestATornLineIsCutOff(t *testing.T) {
	whole, err := os.ReadFile(written(t, "first", "second"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		want := bytes.Count(whole[:n], []byte{'\n'})
		if lines, bad := replay(t, path); len(lines) != want || bad != 0 {
			t.Fatalf("cut at %d: %q with %d bad, want %d lines", n, lines, bad, want)
		}
		f, err := journal.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Write("next"); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if lines, bad := replay(t, path); len(lines) != want+1 || bad != 0 {
			t.Fatalf("cut at %d, then written: %q with %d bad, want %d lines", n, lines, bad, want+1)
		}
	}
}

func TestADamagedLineIsLeftOutAndCounted(t *testing.T) {
	path := written(t, "first", "second", "third")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("second"))] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	lines, bad := replay(t, path)
	if want := []string{`"first"`, `"third"`}; !slices.Equal(lines, want) || bad != 1 {
		t.Errorf("replayed %q with %d bad, want %q with 1", lines, bad, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`1c291ca3 {"op":"bury"}`))
	f.Add([]byte(` `))
	f.Fuzz(func(t *testing.T, line []byte) {
		body, err := journal.Decode(line)
		if err == nil && len(body)+9 != len(line) {
			t.Errorf("Decode(%q) = %q", line, body)
		}
	})
}
