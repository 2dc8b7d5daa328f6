package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/agent/api"
)

// deadID names a folder of a container that no Docker has ever known.
const deadID = "00000000dead"

// TestALogRootThatIsNotWhatItWasIsLeftAlone: it is named, nothing in it is
// touched, and the roots that are well go on. J4.
func TestALogRootThatIsNotWhatItWasIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*testing.T, string){
		"missing": func(t *testing.T, root string) {
			if err := os.RemoveAll(root); err != nil {
				t.Fatal(err)
			}
		},
		"a symlink": func(t *testing.T, root string) {
			if err := os.Rename(root, root+".real"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(root+".real", root); err != nil {
				t.Fatal(err)
			}
		},
		"a file": func(t *testing.T, root string) {
			if err := os.Rename(root, root+".real"); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(root, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"read-only": func(t *testing.T, root string) {
			mountOn(t, root, root, "", unix.MS_BIND)
			if err := unix.Mount("", root, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
				t.Fatal(err)
			}
		},
		"under another mount": func(t *testing.T, root string) { mountOn(t, "tmpfs", root, "tmpfs", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("from the start", func(t *testing.T) { spoiltRoot(t, spoil, name != "under another mount", true) })
			t.Run("later", func(t *testing.T) { spoiltRoot(t, spoil, true, false) })
		})
	}
}

// spoiltRoot runs a daemon with two roots, one of which is spoilt before or
// after the start, and looks whether it says so, if it has to.
func spoiltRoot(t *testing.T, spoil func(*testing.T, string), mustSay, atStart bool) {
	d := install(t, settings{"logs.unknown_grace": "0s"})
	bad := filepath.Join(d.dir, "bad")
	d.configure(settings{"logs.roots": roots(bad, d.root())})
	inBad := marked(t, filepath.Join(bad, "orders", "containers", deadID))
	if atStart {
		spoil(t, bad)
		d.start()
	} else {
		d.start()
		d.healthy()
		spoil(t, bad)
	}
	inGood := marked(t, filepath.Join(d.mount("orders"), deadID))
	eventually(t, "the folder in the good root gone", func() bool {
		d.run("logs", "sweep", "--json")
		return inGood.gone()
	})
	if !mustSay {
		return
	}
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
	for _, path := range []string{inBad.path, strings.Replace(inBad.path, bad, bad+".real", 1)} {
		if _, err := os.Stat(path); err == nil {
			return // where it was, or where the spoiler has put it
		}
	}
	if _, err := os.Stat(bad + "/orders"); err == nil {
		t.Errorf("the folder in the bad root has gone")
	}
}

// mountOn mounts something on a path until the test ends.
func mountOn(t *testing.T, source, path, kind string, flags uintptr) {
	t.Helper()
	if err := unix.Mount(source, path, kind, flags, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", path, err)
		}
	})
}
