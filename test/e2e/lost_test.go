package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/dockerproxy"
	"github.com/berth-dev/berth/test/engine"
)

// alarmTime is how long a daemon may believe a Docker that misleads it.
const alarmTime = 60 * time.Second

// A deceit is a daemon, the way in which its Docker is going to mislead it, and
// the folders that this puts at risk.
type deceit struct {
	*daemon
	t        *testing.T
	name     string
	receiver *receiver
	stay     []folder
	dead     folder // of nobody: any sweep that can see takes it
	says     string // a part of the reason
	begin    func()
	worsen   func() // nil: it does not get any worse
	end      func()

	berth line
	began time.Time
}

// TestADeceivedDaemonSaysSoWithinAMinute: whatever Docker does, status, doctor,
// events and the metric tell it before anybody asks for a sweep; no sweep
// deletes anything meanwhile; and all is well by itself when Docker is. J2, J3.
func TestADeceivedDaemonSaysSoWithinAMinute(t *testing.T) {
	t.Parallel()
	e := engine.Private(t)
	all := []*deceit{
		lost(t, "a configuration of no bytes", 0), lost(t, "half a configuration", 2),
		moved(t), frozen(t),
		behindProxy(t, e, "half of each answer", "ended early", dockerproxy.Faults{HalfBody: true}),
		behindProxy(t, e, "an empty list", "shorter than", dockerproxy.Faults{EmptyList: true}),
		behindProxy(t, e, "a list that is one short", "shorter than", dockerproxy.Faults{DropFromList: created(t, e)[:1]}),
		behindProxy(t, e, "a list that hangs", "no answer", dockerproxy.Faults{HangPath: "/containers/json"}),
		behindProxy(t, e, "another data root", "/elsewhere", dockerproxy.Faults{OtherRoot: "/elsewhere"}),
	}
	for _, d := range all {
		d.healthy()
		d.begin()
		d.began = time.Now()
	}
	within(t, all, "the alarm", (*deceit).alarmed)
	for _, d := range all {
		d.told()
	}
	suffer(all)
	for _, d := range all {
		if d.worsen != nil {
			d.worsen()
		}
	}
	suffer(all)
	for _, d := range all {
		d.end()
		d.began = time.Now()
	}
	within(t, all, "the recovery", (*deceit).sees)
	for _, d := range all {
		d.recover()
	}
}

// within waits until a condition holds for all, and logs how long each took.
func within(t *testing.T, all []*deceit, what string, holds func(*deceit) bool) {
	t.Helper()
	took := map[string]time.Duration{}
	for len(took) < len(all) {
		for _, d := range all {
			if took[d.name] > 0 {
				continue
			}
			after := time.Since(d.began)
			switch {
			case holds(d):
				took[d.name] = after
				t.Logf("%s, %s: after %.1f s", d.name, what, after.Seconds())
			case after > alarmTime:
				t.Fatalf("%s, %s: not within %v: %+v", d.name, what, alarmTime, d.status())
			}
		}
		<-time.After(50 * time.Millisecond)
	}
}

// newDeceit starts a daemon in front of an Engine with containers that never
// ran, so that nothing but Docker's list can speak for them.
func newDeceit(t *testing.T, name, socket string, ids ...inventory.ID) *deceit {
	t.Helper()
	d := &deceit{t: t, name: name, receiver: receive(t)}
	d.daemon = launch(t, settings{
		"docker.socket": socket, "logs.unknown_grace": "0s", "metrics.dogstatsd": d.receiver.addr,
	})
	d.berth = d.dial(t)
	d.knows(ids...)
	for _, id := range ids {
		d.stay = append(d.stay, marked(t, filepath.Join(d.mount("orders"), id.Short())))
	}
	d.dead = marked(t, filepath.Join(d.mount("orders"), deadID))
	return d
}

// created makes some containers that do not run.
func created(t *testing.T, e *engine.Daemon) []inventory.ID {
	t.Helper()
	return []inventory.ID{e.Create(t, engine.Options{}), e.Create(t, engine.Options{}), e.Create(t, engine.Options{})}
}

// lost is what a full disk leaves of a container's configuration: nothing, or
// a part of it. Its process goes on, and Docker does not know it any more.
func lost(t *testing.T, name string, part int) *deceit {
	t.Helper()
	e := engine.Private(t, "--live-restore")
	d := newDeceit(t, name, e.Socket(), created(t, e)...)
	mount := d.mount("orders")
	id := e.Run(t, logging(mount))
	d.stay = append(d.stay, logged(t, mount, id))
	d.knows(id)
	pid := processOf(t, e.Engine, id)
	config := filepath.Join(e.DataRoot(), "containers", string(id), "config.v2.json")
	whole, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	put := func(text []byte) {
		e.Down(t, syscall.SIGTERM)
		if err := os.WriteFile(config, text, 0o600); err != nil {
			t.Fatal(err)
		}
		e.Up(t)
	}
	d.says = "1 short: container " + id.Short()
	d.begin = func() {
		var kept []byte
		if part > 0 {
			kept = whole[:len(whole)/part]
		}
		put(kept)
		if state := stateOf(t, e.Engine, id); state != "" {
			t.Fatalf("Docker still lists the container: %s", state)
		}
		writes(t, filepath.Join(mount, id.Short(), "app.log"))
	}
	d.worsen = func() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("kill the process of the lost container: %v", err)
		}
		eventually(t, "its end", func() bool { return syscall.Kill(pid, 0) != nil })
	}
	d.end = func() { put(whole) }
	return d
}

// processOf is the ID of a container's first process.
func processOf(t *testing.T, e *engine.Engine, id inventory.ID) int {
	t.Helper()
	var c struct{ State struct{ Pid int } }
	if err := e.Do(http.MethodGet, "/containers/"+string(id)+"/json", nil, &c); err != nil || c.State.Pid < 2 {
		t.Fatalf("inspect: %v: %+v", err, c)
	}
	return c.State.Pid
}

// writes waits until a log has grown.
func writes(t *testing.T, path string) {
	t.Helper()
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	eventually(t, path+" written to", func() bool { return size() > before })
}

// moved is an Engine that is started on a data root in which nothing is.
func moved(t *testing.T) *deceit {
	t.Helper()
	e := engine.Private(t)
	d := newDeceit(t, "an empty data root", e.Socket(), created(t, e)...)
	move := func(name string) {
		e.Down(t, syscall.SIGTERM)
		e.Move(name)
		e.Up(t)
	}
	d.says, d.begin, d.end = "data root is ", func() { move("empty") }, func() { move("data") }
	return d
}

// frozen is an Engine that accepts connections and answers nothing.
func frozen(t *testing.T) *deceit {
	t.Helper()
	e := engine.Private(t)
	d := newDeceit(t, "a frozen Engine", e.Socket(), created(t, e)...)
	d.says, d.begin, d.end = "no answer", func() { e.Freeze(t) }, func() { e.Thaw(t) }
	return d
}

// behindProxy is an Engine that is well, and answers that are not its own.
func behindProxy(t *testing.T, e *engine.Daemon, name, says string, f dockerproxy.Faults) *deceit {
	t.Helper()
	proxy := dockerproxy.New(t, e.Socket())
	d := newDeceit(t, name, proxy.Socket(), created(t, e)...)
	d.says, d.begin, d.end = says, func() { proxy.Set(f) }, func() { proxy.Set(dockerproxy.Faults{}) }
	return d
}

// now is the daemon's status, without a process for the question.
func (d *deceit) now() api.Status {
	d.t.Helper()
	var s api.Status
	if err := d.berth.do(http.MethodGet, "/v1/status", nil, &s); err != nil {
		d.t.Fatal(err)
	}
	return s
}

func (d *deceit) alarmed() bool {
	s := d.now()
	return s.Verdict == api.Degraded && strings.Contains(s.Docker.Blind+s.Logs.Blind, d.says)
}

func (d *deceit) sees() bool { return d.now().Verdict == api.OK }

// told wants the alarm everywhere that somebody could look.
func (d *deceit) told() {
	d.t.Helper()
	s := d.now()
	d.t.Logf("%s: %s", d.name, s.Reasons[0])
	if r := d.run("status", "--fail"); r.code != exitDegraded || !strings.Contains(r.stdout, d.says) {
		d.t.Errorf("%s: berth status --fail: exit code %d, want %d and %q in %s", d.name, r.code, exitDegraded, d.says, r.stdout)
	}
	if events := d.run("events").want(d.t, exitOK).stdout; !tells(events, "docker.blind", d.says) {
		d.t.Errorf("%s: no event docker.blind that says %q in\n%s", d.name, d.says, events)
	}
}

// tells reports whether one line has all the words.
func tells(text string, words ...string) bool {
	for line := range strings.Lines(text) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			return true
		}
	}
	return false
}

// suffer sweeps in vain, and asks the doctor why, everywhere at once: some
// wait for an answer.
func suffer(all []*deceit) {
	var sweeping sync.WaitGroup
	for _, d := range all {
		sweeping.Go(func() {
			var checks []api.Check
			err := d.berth.do(http.MethodGet, "/v1/diagnostics", nil, &checks)
			if !slices.ContainsFunc(checks, func(c api.Check) bool { return c.Level != "ok" && strings.Contains(c.Message, d.says) && c.Cure != "" }) {
				d.t.Errorf("%s: error %v, or the doctor does not say %q: %+v", d.name, err, d.says, checks)
			}
			report, err := d.berth.sweep(api.SweepRequest{Unlimited: true, Purge: true})
			if err != nil || len(report.Removed)+len(report.Purged) > 0 || report.Plan.Blind == "" {
				d.t.Errorf("%s: a sweep ended with %v, removed %+v, purged %+v; blind: %q", d.name, err, report.Removed, report.Purged, report.Plan.Blind)
			}
			untouched(d.t, append(d.stay, d.dead)...)
		})
	}
	sweeping.Wait()
}

// recover wants the end of the alarm told, and sweeps that work again.
func (d *deceit) recover() {
	d.t.Helper()
	if events := d.run("events").want(d.t, exitOK).stdout; !tells(events, "docker.seen") {
		d.t.Errorf("%s: no event docker.seen in\n%s", d.name, events)
	}
	if report := d.sweep(); len(report.Removed) != 1 || !d.dead.gone() {
		d.t.Errorf("%s: the first sweep that could see removed %+v, want the folder of nobody", d.name, report.Removed)
	}
	untouched(d.t, d.stay...)
	d.stop() // the last report is sent at the end
	eventually(d.t, "metric docker.blind_seconds above 0", func() bool {
		for _, line := range d.receiver.lines() {
			if rest, ok := strings.CutPrefix(line, "berth.docker.blind_seconds:"); ok && !strings.HasPrefix(rest, "0|") {
				return true
			}
		}
		return false
	})
}
