package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/agent/api"
)

// deadID names a folder of a container that no Docker has ever known.
const deadID = "00000000dead"

// A spoiler makes a log root something else, and returns how to make it what
// it was.
type spoiler func(t *testing.T, root string) (mend func())

var spoilers = map[string]spoiler{
	"missing": func(t *testing.T, root string) func() {
		rename(t, root, root+".real")
		return func() { rename(t, root+".real", root) }
	},
	"a symlink": func(t *testing.T, root string) func() {
		rename(t, root, root+".real")
		if err := os.Symlink(root+".real", root); err != nil {
			t.Fatal(err)
		}
		return func() { rename(t, root+".real", root) }
	},
	"a file": func(t *testing.T, root string) func() {
		rename(t, root, root+".real")
		if err := os.WriteFile(root, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return func() { rename(t, root+".real", root) }
	},
	"read-only": func(t *testing.T, root string) func() {
		unmount := mountOn(t, root, root, "", unix.MS_BIND)
		if err := unix.Mount("", root, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		return unmount
	},
}

// TestALogRootThatIsNotOneIsLeftAlone: it is named, nothing in it is touched,
// the roots that are well go on, and so does this one once it is mended. J4.
func TestALogRootThatIsNotOneIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, spoil := range spoilers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("from the start", func(t *testing.T) { spoiltRoot(t, spoil, true) })
			t.Run("later", func(t *testing.T) { spoiltRoot(t, spoil, false) })
		})
	}
}

// TestAMountOverALogRootHidesWhatWasThere: nothing below it is touched through
// what was open before, and the log says so. J4.
func TestAMountOverALogRootHidesWhatWasThere(t *testing.T) {
	t.Parallel()
	d := launch(t, settings{"logs.unknown_grace": "0s"})
	d.healthy()
	hidden := marked(t, filepath.Join(d.mount("orders"), deadID))
	unmount := mountOn(t, "tmpfs", d.root(), "tmpfs", 0)
	d.run("logs", "sweep", "--json")
	if !strings.Contains(d.tail(20), "no longer the folder that was opened") {
		t.Error("the log does not say that the root has changed")
	}
	shown := marked(t, filepath.Join(d.mount("orders"), deadID))
	eventually(t, "the folder on the new mount gone", func() bool {
		d.run("logs", "sweep", "--json")
		return shown.gone()
	})
	d.stop()
	unmount()
	untouched(t, hidden)
}

// spoiltRoot runs a daemon with two roots, one of which is spoilt before or
// after the start.
func spoiltRoot(t *testing.T, spoil spoiler, atStart bool) {
	d := install(t, settings{"logs.unknown_grace": "0s"})
	bad := filepath.Join(d.dir, "bad")
	d.configure(settings{"logs.roots": roots(bad, d.root())})
	inBad := marked(t, filepath.Join(bad, "orders", "containers", deadID))
	var mend func()
	if atStart {
		mend = spoil(t, bad)
		d.start()
	} else {
		d.start()
		d.healthy()
		mend = spoil(t, bad)
	}
	inGood := marked(t, filepath.Join(d.mount("orders"), deadID))
	eventually(t, "the folder in the good root gone", func() bool {
		d.run("logs", "sweep", "--json")
		return inGood.gone()
	})
	eventually(t, "the bad root named by status", func() bool {
		return slices.ContainsFunc(d.status().Logs.Roots, func(r api.LogRoot) bool { return r.Path == bad && r.Fault != "" })
	})
	for _, r := range d.status().Logs.Roots {
		if r.Path == d.root() && r.Fault != "" {
			t.Errorf("the good root has a fault: %s", r.Fault)
		}
	}
	d.run("status", "--fail").want(t, exitDegraded)
	doctor := d.run("doctor", "--json").want(t, exitDegraded)
	var checks []api.Check
	doctor.into(t, &checks)
	if !slices.ContainsFunc(checks, func(c api.Check) bool {
		return c.Level != "ok" && strings.Contains(c.Subject+c.Message, bad) && c.Cure != ""
	}) {
		t.Errorf("doctor does not name %s with a cure: %+v", bad, checks)
	}
	mend()
	untouched(t, inBad)
	eventually(t, "the folder in the mended root gone", func() bool {
		d.run("logs", "sweep", "--json")
		return inBad.gone()
	})
	d.healthy()
}

// mountOn mounts something on a path, until the test ends at the latest.
func mountOn(t *testing.T, source, path, kind string, flags uintptr) (unmount func()) {
	t.Helper()
	if err := unix.Mount(source, path, kind, flags, ""); err != nil {
		t.Fatal(err)
	}
	unmount = sync.OnceFunc(func() {
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", path, err)
		}
	})
	t.Cleanup(unmount)
	return unmount
}

// rename moves a folder over what is there, unless that is a folder too.
func rename(t *testing.T, from, to string) {
	t.Helper()
	if info, err := os.Lstat(to); err == nil && !info.IsDir() {
		_ = os.Remove(to)
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
