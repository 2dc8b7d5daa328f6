package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/dockerproxy"
	"github.com/berth-dev/berth/test/engine"
)

// A lie is one way in which Docker fails to tell the truth, from now on.
type lie func(ids []inventory.ID) dockerproxy.Faults

func fault(f dockerproxy.Faults) lie {
	return func([]inventory.ID) dockerproxy.Faults { return f }
}

// TestALyingDockerCostsNoFolder is J2, in front of an Engine that is well and
// a proxy that is not. The containers never ran, so that nothing but the list
// can speak for them.
func TestALyingDockerCostsNoFolder(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]lie{
		"refuses":               fault(dockerproxy.Faults{Refuse: true}),
		"hangs":                 fault(dockerproxy.Faults{Hang: true}),
		"hangs on the list":     fault(dockerproxy.Faults{HangPath: "/containers/json"}),
		"fails":                 fault(dockerproxy.Faults{Status: 500}),
		"ends in the middle":    fault(dockerproxy.Faults{HalfBody: true}),
		"has an empty list":     fault(dockerproxy.Faults{EmptyList: true}),
		"has another data root": fault(dockerproxy.Faults{OtherRoot: "/elsewhere"}),
		"leaves one out": func(ids []inventory.ID) dockerproxy.Faults {
			return dockerproxy.Faults{DropFromList: ids[:1]}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := engine.Private(t) // nobody else's containers go while Docker lies
			proxy := dockerproxy.New(t, e.Socket())
			v := newVictims(t, e.Engine, proxy.Socket())
			proxy.Set(lie(v.ids))
			v.suffer()
			v.restart() // a daemon that meets the lie at its start is not fooled either
			v.suffer()
			proxy.Set(dockerproxy.Faults{})
			v.recover()
		})
	}
}

// TestAFrozenDockerCostsNoFolder: connections succeed, and nothing answers.
func TestAFrozenDockerCostsNoFolder(t *testing.T) {
	t.Parallel()
	e := engine.Private(t)
	v := newVictims(t, e.Engine, e.Socket())
	e.Freeze(t)
	defer e.Thaw(t)
	v.suffer()
	e.Thaw(t)
	v.recover()
}

// TestAContainerThatDockerHasLostKeepsItsFolder: what a full disk leaves of a
// container's configuration is not listed any more, and Docker counts it
// nowhere. With live-restore its process is still there. J2, J3.
func TestAContainerThatDockerHasLostKeepsItsFolder(t *testing.T) {
	t.Parallel()
	e := engine.Private(t, "--live-restore")
	d := launch(t, settings{"docker.socket": e.Socket()})
	mount := d.mount("orders")
	running, created := e.Run(t, logging(mount)), e.Create(t, engine.Options{})
	stay := []folder{logged(t, mount, running), marked(t, filepath.Join(mount, created.Short()))}
	d.knows(running, created)
	e.Down(t, syscall.SIGKILL)
	for _, id := range []inventory.ID{running, created} {
		if err := os.Truncate(filepath.Join(e.DataRoot(), "containers", string(id), "config.v2.json"), 100); err != nil {
			t.Fatal(err)
		}
	}
	e.Up(t)
	if got := stateOf(t, e.Engine, running); got != "" {
		t.Fatalf("Docker still lists the container: %s", got)
	}
	for range 2 {
		eventually(t, "a picture of Docker", func() bool { return d.status().Docker.Blind == "" })
		var report api.SweepReport
		d.run("logs", "sweep", "--json").into(t, &report)
		if len(report.Removed)+len(report.Purged) > 0 || report.Plan.Blind == "" {
			t.Errorf("the sweep removed %+v; blind: %q", report.Removed, report.Plan.Blind)
		}
		untouched(t, stay...)
		d.run("status", "--fail").want(t, exitDegraded)
		d.restart()
	}
}

// Victims are containers and their folders, in front of a Docker that is about
// to lie.
type victims struct {
	*daemon
	ids  []inventory.ID
	stay []folder
	dead folder // of a container that was removed; it may go once Docker is well
}

func newVictims(t *testing.T, e *engine.Engine, socket string) *victims {
	t.Helper()
	v := &victims{daemon: launch(t, settings{"docker.socket": socket})}
	mount := v.mount("orders")
	for range 4 {
		id := e.Create(t, engine.Options{})
		v.ids = append(v.ids, id)
		v.stay = append(v.stay, marked(t, filepath.Join(mount, id.Short())))
	}
	gone := e.Create(t, engine.Options{})
	v.dead = marked(t, filepath.Join(mount, gone.Short()))
	v.knows(append(v.ids, gone)...)
	e.Remove(t, gone)
	v.forgets(gone)
	return v
}

// suffer sweeps in vain and wants to be told why.
func (v *victims) suffer() {
	v.t.Helper()
	for range 2 {
		r := v.run("logs", "sweep", "--json")
		if strings.TrimSpace(r.stdout) != "" {
			var report api.SweepReport
			r.into(v.t, &report)
			if len(report.Removed)+len(report.Purged) > 0 {
				v.t.Errorf("a blind sweep removed %+v and purged %+v", report.Removed, report.Purged)
			}
			if report.Plan.Blind == "" {
				v.t.Error("the report does not say that the sweep was blind")
			}
		}
		untouched(v.t, append(v.stay, v.dead)...)
	}
	var s api.Status
	eventually(v.t, "a verdict of degraded", func() bool {
		r := v.run("status", "--fail", "--json")
		r.into(v.t, &s)
		return r.code == exitDegraded
	})
	if why := s.Docker.Blind + s.Logs.Blind; len(strings.Fields(why)) < 2 {
		v.t.Errorf("status says docker.blind %q, logs.blind %q, want a reason in words", s.Docker.Blind, s.Logs.Blind)
	}
	if s.Verdict != api.Degraded || len(s.Reasons) == 0 {
		v.t.Errorf("status says %q for %q, want degraded and why", s.Verdict, s.Reasons)
	}
	if len(s.Reasons) > 0 {
		v.t.Logf("status: %s", s.Reasons[0])
	}
}

// recover wants everything to be as before without anybody's help.
func (v *victims) recover() {
	v.t.Helper()
	eventually(v.t, "the dead folder gone", func() bool {
		v.run("logs", "sweep", "--json")
		return v.dead.gone()
	})
	v.healthy()
	untouched(v.t, v.stay...)
}
