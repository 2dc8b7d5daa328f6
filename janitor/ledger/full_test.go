package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A full disk is when there is most to know: who went while it was full is
// known to have gone after a restart.
func TestTheLedgerGoesOnWhereTheDiskIsFull(t *testing.T) {
	const containers = 1000
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "ledger")
	l := open(t, path)
	l.Listed(listing(0, 1))
	fill(t, filepath.Join(dir, "big.log"))
	for n := range containers {
		l.Created(id(n+2), "orders", noon.Add(time.Minute))
		l.Removed(id(n+2), noon.Add(2*time.Minute))
	}
	l.Listed(listing(3, 1))
	if err := l.Hold("/var/log/apps/orders/containers/abc", noon); err != nil {
		t.Error(err)
	}
	if fault := l.View().Fault; fault != "" {
		t.Error(fault)
	}
	_ = l.Close()
	v := open(t, path).View()
	if gone := v.Entries[id(containers)].Gone; len(v.Entries) != containers+1 || gone.IsZero() {
		t.Errorf("after a restart %d containers are known, want %d; the last went at %v", len(v.Entries), containers+1, gone)
	}
}

// A journal that is too large, and cannot be written anew, is no reason not to
// start.
func TestALedgerThatCannotBeCompactedOpens(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=12m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "ledger")
	l := open(t, path)
	for n := 0; ; n++ {
		l.Created(id(n), "orders", noon)
		if info, err := os.Stat(path); err != nil || info.Size() > 3<<20 {
			break
		}
	}
	known := len(l.View().Entries)
	_ = l.Close()
	text, err := os.ReadFile(path)
	if err == nil { // beyond the size from which it is compacted
		err = os.WriteFile(path, append(text, text...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(dir, "big.log"))
	v := open(t, path).View()
	if len(v.Entries) != known || v.Fault == "" {
		t.Errorf("%d containers are known, want %d; fault %q", len(v.Entries), known, v.Fault)
	}
	if _, err := os.Stat(path + ".next"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the journal that could not be written is still there: %v", err)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = file.Write(block)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}
