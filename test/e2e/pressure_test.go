package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/agent/api"
)

// disk mounts a file system of its own, of so many MiB, for the length of the
// test.
func disk(t *testing.T, at string, mib int64) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, mib<<20); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-F", "-m", "0", image}, {"mount", "-o", "loop", image, at}} {
		if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", strings.Join(command, " "), err, out)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(at, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// write makes a file of so many MiB that takes its space.
func write(t *testing.T, path string, mib int) {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, mib<<20), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Short of space, Berth sweeps at once and deletes what could still be
// restored, and says at each step what it does and why.
func TestADiskThatFillsIsRelieved(t *testing.T) {
	t.Parallel()
	d := install(t, settings{
		"logs.unknown_grace": "0s", "logs.undo": "24h",
		"disk.low": 40, "disk.high": 60, "disk.emergency": 95,
	})
	disk(t, d.root(), 64)
	d.start()
	d.healthy()
	old := marked(t, filepath.Join(d.mount("orders"), deadID))
	write(t, old.path+"/app.log", 12)
	if r := ask[api.SweepReport](d, "logs", "sweep"); len(r.Removed) != 1 {
		t.Fatalf("the sweep removed %d folders, want 1", len(r.Removed))
	}
	if level := d.status().Disks[0]; level.Level != "normal" {
		t.Fatalf("the disk is %+v before anything fills it", level)
	}
	dead, big := marked(t, filepath.Join(d.mount("orders"), "0"+deadID[1:])), marked(t, filepath.Join(d.mount("billing"), "not-a-container"))
	write(t, dead.path+"/app.log", 8)
	write(t, big.path+"/filler", 16)

	d.restart() // looks at the disk at once
	eventually(t, "both folders of the dead to be deleted for good", func() bool {
		return strings.Count(d.history(), "purged pressure disk") == 2
	})
	if h := d.history(); !strings.Contains(h, "disk high disk") || !dead.gone() {
		t.Errorf("the audit does not say why: %s", h)
	}
	untouched(t, big)
	eventually(t, "the disk to be normal", func() bool {
		s := d.status()
		return len(s.Disks) > 0 && s.Disks[0].Level == "normal"
	})
}

// history is the audit: what was done, why and by whom, a line each.
func (d *daemon) history() string {
	d.t.Helper()
	var b strings.Builder
	for _, r := range ask[[]api.Record](d, "logs", "history") {
		fmt.Fprintln(&b, r.Action, r.Code, r.By)
	}
	return b.String()
}
