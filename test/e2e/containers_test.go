package e2e_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/engine"
)

// mount is the folder that a service's containers share, made if need be.
func (d *daemon) mount(service string) string {
	d.t.Helper()
	dir := filepath.Join(d.root(), service, "containers")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		d.t.Fatal(err)
	}
	return dir
}

// logging is a workload that writes its log into a mount.
func logging(mount string) engine.Options {
	return engine.Options{Binds: []string{mount + ":/logs"}, Env: []string{"LOG_DIR=/logs"}, Cmd: []string{"-every=20ms"}}
}

// logged waits until a running container has made its log folder, and marks it.
func logged(t *testing.T, mount string, id inventory.ID) folder {
	t.Helper()
	path := filepath.Join(mount, id.Short())
	eventually(t, "a log file in "+path, func() bool {
		_, err := os.Stat(filepath.Join(path, "app.log"))
		return err == nil
	})
	return marked(t, path)
}

// stateOf is what Docker's list says a container is doing; empty: not listed.
func stateOf(t *testing.T, e *engine.Engine, id inventory.ID) inventory.State {
	t.Helper()
	var list []struct {
		ID    inventory.ID
		State inventory.State
	}
	if err := e.Do(http.MethodGet, "/containers/json?all=1", nil, &list); err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.ID == id {
			return c.State
		}
	}
	return ""
}

// knows waits until the daemon has seen containers.
func (d *daemon) knows(ids ...inventory.ID) {
	d.t.Helper()
	eventually(d.t, "containers in berth ps", func() bool {
		seen := map[string]bool{}
		for _, c := range ask[api.Containers](d, "ps").Containers {
			seen[c.ID] = true
		}
		for _, id := range ids {
			if !seen[string(id)] {
				return false
			}
		}
		return true
	})
}

// forgets waits until the daemon has seen that a container is gone.
func (d *daemon) forgets(id inventory.ID) {
	d.t.Helper()
	eventually(d.t, "container gone from berth ps", func() bool {
		for _, c := range ask[api.Containers](d, "ps").Containers {
			if c.ID == string(id) {
				return false
			}
		}
		return true
	})
}

// half removes a container: Docker begins and cannot finish, because a file in
// the container's layer cannot be deleted. The container is removing until the
// Engine is started again, and dead from then on.
func half(t *testing.T, e *engine.Daemon, id inventory.ID) {
	t.Helper()
	var c struct {
		GraphDriver struct{ Data struct{ UpperDir string } }
	}
	if err := e.Do(http.MethodGet, "/containers/"+string(id)+"/json", nil, &c); err != nil {
		t.Fatal(err)
	}
	stuck := filepath.Join(c.GraphDriver.Data.UpperDir, "stuck")
	if err := os.WriteFile(stuck, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	immutable(t, stuck, true)
	t.Cleanup(func() { immutable(t, stuck, false) })
	var status *engine.StatusError
	if err := e.Try("remove", id); !errors.As(err, &status) {
		t.Fatalf("remove a container with an immutable file: %v, want Docker's refusal", err)
	}
}

// immutable sets or clears the flag that keeps a file from being deleted.
func immutable(t *testing.T, path string, on bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		t.Errorf("flags of %s: %v", path, err)
		return
	}
	if flags &^= unix.STATX_ATTR_IMMUTABLE; on { // the same bit as FS_IMMUTABLE_FL
		flags |= unix.STATX_ATTR_IMMUTABLE
	}
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags)); err != nil {
		t.Errorf("immutable flag of %s: %v", path, err)
	}
}
