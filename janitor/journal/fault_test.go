package journal_test

import (
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/journal"
)

// A write stops half-way, and what was written cannot be cut off either: the
// next line must not be lost behind it.
func TestALineBehindOneThatCouldNotBeCutOffIsNotLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	f, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Write("first"); err != nil {
		t.Fatal(err)
	}
	stop := kernel.Intercept(t, func(c kernel.Call, do func() error) error {
		switch c.Name {
		case "write":
			_, _ = unix.Write(c.Fd, c.Data[:len(c.Data)/2])
			return unix.ENOSPC
		case "ftruncate":
			return unix.EIO
		}
		return do()
	})
	for range 2 {
		if err := f.Write("torn"); err == nil {
			t.Fatal("half a line was written, and Write says nothing")
		}
	}
	if bad, err := f.Replay(func([]byte) error { return nil }); bad > 0 || err != nil {
		t.Errorf("read again: %d bad, %v", bad, err)
	}
	stop()
	if err := f.Write("second"); err != nil {
		t.Fatal(err)
	}
	lines, bad := replay(t, path)
	if want := []string{`"first"`, `"second"`}; !slices.Equal(lines, want) || bad != 0 {
		t.Errorf("replayed %q with %d bad, want %q", lines, bad, want)
	}
}
