package engine_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/engine"
)

// state asks what a container is doing; empty if there is none.
func state(t *testing.T, e *engine.Engine, id inventory.ID) string {
	t.Helper()
	var c struct{ State struct{ Status string } }
	if err := e.Do(http.MethodGet, "/containers/"+string(id)+"/json", nil, &c); err != nil {
		return ""
	}
	return c.State.Status
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

func TestContainersGoThroughTheirStates(t *testing.T) {
	e := engine.Default(t)
	id := e.Create(t, engine.Options{})
	steps := []struct {
		verb func(testing.TB, inventory.ID)
		want string
	}{
		{e.Start, "running"},
		{e.Pause, "paused"},
		{e.Unpause, "running"},
		{e.Restart, "running"},
		{e.Stop, "exited"},
		{e.Start, "running"},
		{e.Kill, "exited"},
		{e.Remove, ""},
	}
	for _, step := range steps {
		step.verb(t, id)
		if got := state(t, e, id); got != step.want {
			t.Errorf("state %q, want %q", got, step.want)
		}
	}
}

func TestWorkloadMakesItsLogFolder(t *testing.T) {
	e, dir := engine.Default(t), t.TempDir()
	id := e.Run(t, engine.Options{Binds: []string{dir + ":/logs"}, Env: []string{"LOG_DIR=/logs"}, Cmd: []string{"-every=5ms"}})
	eventually(t, "two lines in the log", func() bool {
		b, _ := os.ReadFile(filepath.Join(dir, id.Short(), "app.log"))
		return strings.Contains(string(b), "line 2\n")
	})
}

func TestWorkloadExitsAsTold(t *testing.T) {
	e := engine.Default(t)
	id := e.Run(t, engine.Options{Cmd: []string{"-for=0", "-exit=7"}})
	var c struct {
		State struct {
			Status   string
			ExitCode int
		}
	}
	eventually(t, "exit", func() bool {
		if err := e.Do(http.MethodGet, "/containers/"+string(id)+"/json", nil, &c); err != nil {
			t.Fatal(err)
		}
		return c.State.Status == "exited"
	})
	if c.State.ExitCode != 7 {
		t.Errorf("exit code %d, want 7", c.State.ExitCode)
	}
}

func TestWhatATestMakesGoesWithIt(t *testing.T) {
	e := engine.Default(t)
	var id inventory.ID
	t.Run("inner", func(t *testing.T) { id = e.Run(t, engine.Options{}) })
	if got := state(t, e, id); got != "" {
		t.Errorf("state %q after the test, want none", got)
	}
}

func TestPrivateEngineComesBack(t *testing.T) {
	d := engine.Private(t, "--live-restore")
	id := d.Run(t, engine.Options{})
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		d.Down(t, sig)
		d.Up(t)
		if got := state(t, d.Engine, id); got != "running" {
			t.Errorf("state %q after %v with live-restore, want running", got, sig)
		}
	}
	d.Freeze(t)
	d.Thaw(t)
	if got := state(t, d.Engine, id); got != "running" {
		t.Errorf("state %q after a freeze, want running", got)
	}
}

func TestPrivateEngineLeavesNothingBehind(t *testing.T) {
	var root string
	t.Run("inner", func(t *testing.T) {
		d := engine.Private(t)
		root = filepath.Dir(d.DataRoot())
		d.Run(t, engine.Options{})
		d.Pause(t, d.Run(t, engine.Options{}))
		d.Freeze(t)
	})
	if _, err := os.Stat(root); !os.IsNotExist(err) {
		t.Errorf("folder of the private Engine: %v, want it gone", err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), root) {
		t.Error("mounts of the private Engine are still there")
	}
}

func BenchmarkCycleWithoutNetwork(b *testing.B) { cycle(b, "none") }
func BenchmarkCycleOnTheBridge(b *testing.B)    { cycle(b, "bridge") }

// cycle creates, starts and removes.
func cycle(b *testing.B, network string) {
	e := engine.Default(b)
	o := engine.Options{Image: e.Image(b), Network: network}
	for b.Loop() {
		id, err := e.TryCreate(o)
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(e.Try("start", id), e.Try("remove", id)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreateAndRemove(b *testing.B) {
	e := engine.Default(b)
	o := engine.Options{Image: e.Image(b)}
	for b.Loop() {
		id, err := e.TryCreate(o)
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Try("remove", id); err != nil {
			b.Fatal(err)
		}
	}
}
