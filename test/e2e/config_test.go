package e2e_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
)

// faulty has three faults, on lines 2, 4 and 6.
const faulty = `logs:
  shedule: "0 * * * *"
  splay: 0s
  grace: 1 hour
docker:
  socket: var/run/docker.sock
`

// faultyAt are the places of the faults and what is said of them.
var faultyAt = []struct{ place, key string }{
	{":2:3:", "shedule"}, {":4:10:", "logs.grace"}, {":6:11:", "docker.socket"},
}

// TestABadConfigurationIsRefusedAtTheStart: all faults at once, and the exit
// code that systemd does not restart on.
func TestABadConfigurationIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	d := install(t, nil)
	d.write(faulty)
	for _, args := range [][]string{{"run", "--config", d.config()}, {"config", "check", "--config", d.config()}} {
		r := command(t, 0, args...).want(t, exitInvalid)
		for _, f := range faultyAt {
			if said := r.stderr + r.stdout; !strings.Contains(said, d.config()+f.place) || !strings.Contains(said, f.key) {
				t.Errorf("berth %s: no %s of %s in\n%s", args[0], f.place, f.key, said)
			}
		}
	}
}

// TestABadReloadChangesNothing: the daemon runs on with what it had, and says
// what is wrong with what it was given.
func TestABadReloadChangesNothing(t *testing.T) {
	t.Parallel()
	d := launch(t, settings{"config.watch": false})
	before := d.status()
	d.write(faulty)
	r := d.run("reload")
	if r.code == exitOK {
		t.Error("reload of a bad file succeeded")
	}
	for _, f := range faultyAt {
		if !strings.Contains(r.stderr+r.stdout, f.place) {
			t.Errorf("berth reload: no %s in\n%s%s", f.place, r.stdout, r.stderr)
		}
	}
	s := d.status()
	if s.Generation != before.Generation || s.PID != before.PID || s.Verdict != api.Degraded {
		t.Errorf("generation %d of PID %d, %s; want %d of %d, degraded", s.Generation, s.PID, s.Verdict, before.Generation, before.PID)
	}
	at := func(f api.Fault) string { return fmt.Sprintf(":%d:%d:", f.Line, f.Column) }
	for _, want := range faultyAt {
		if !slices.ContainsFunc(s.Config.Rejected, func(f api.Fault) bool { return at(f) == want.place && f.Message != "" }) {
			t.Errorf("status.config.rejected is %+v, want a fault at %s", s.Config.Rejected, want.place)
		}
	}
	d.configure(nil)
	d.run("reload").want(t, exitOK)
	if s := d.status(); len(s.Config.Rejected) > 0 {
		t.Errorf("after a good reload status.config.rejected is still %+v", s.Config.Rejected)
	}
	d.healthy()
}

// TestANewConfigurationIsTakenUp by each of the three ways.
func TestANewConfigurationIsTakenUp(t *testing.T) {
	t.Parallel()
	ways := map[string]struct {
		watch bool
		tell  func(*daemon)
	}{
		"told by berth reload": {false, func(d *daemon) { d.run("reload").want(d.t, exitOK) }},
		"told by SIGHUP":       {false, (*daemon).hangup},
		"by itself":            {true, func(*daemon) {}},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := launch(t, settings{"config.watch": way.watch})
			before := d.status().Generation
			d.configure(settings{"logs.undo": "17m"})
			way.tell(d)
			eventually(t, "the next generation", func() bool { return d.status().Generation == before+1 })
			if shown := ask[api.ConfigShow](d, "config", "show"); !strings.Contains(shown.YAML, "17m") {
				t.Errorf("config show after the reload:\n%s", shown.YAML)
			}
			d.healthy()
		})
	}
}

// TestAKeyThatNeedsARestartIsReported and changes nothing until then.
func TestAKeyThatNeedsARestartIsReported(t *testing.T) {
	t.Parallel()
	d := launch(t, settings{"config.watch": false})
	d.configure(settings{"state_dir": d.dir + "/other", "logs.undo": "17m"})
	r := ask[api.Reload](d, "reload")
	if !slices.Contains(r.Restart, "state_dir") || !slices.Contains(r.Changed, "logs.undo") {
		t.Errorf("reload: %+v, want logs.undo changed and state_dir waiting", r)
	}
	if s := d.status(); !slices.Contains(s.Config.Restart, "state_dir") {
		t.Errorf("status.config.restart is %q, want state_dir in it", s.Config.Restart)
	}
	d.restart()
	if s := d.status(); len(s.Config.Restart) > 0 {
		t.Errorf("status.config.restart is %q after the restart", s.Config.Restart)
	}
	if _, err := os.Stat(d.dir + "/other"); err != nil {
		t.Errorf("new state_dir after the restart: %v", err)
	}
}

func TestExitCodesTellWhatIsWrong(t *testing.T) {
	t.Parallel()
	d := install(t, nil)
	command(t, 0, "status", "--no-such-flag").want(t, exitUsage)
	command(t, 0, "no-such-command").want(t, exitUsage)
	command(t, 0, "run", "--no-such-flag").want(t, exitUsage)
	d.run("logs", "undo").want(t, exitUsage)
	for _, args := range [][]string{{"status"}, {"ps"}, {"logs", "sweep"}, {"reload"}} {
		if r := d.run(args...).want(t, exitUnreachable); !strings.Contains(r.stderr, d.socket()) {
			t.Errorf("berth %s without a daemon does not name the socket: %s", args[0], r.stderr)
		}
	}
	d.start()
	d.run("status").want(t, exitOK)
	command(t, nobody, "--socket", d.socket(), "status").want(t, exitDenied)
}

// TestASecondDaemonStaysAway from the socket and the state of the first.
func TestASecondDaemonStaysAway(t *testing.T) {
	t.Parallel()
	d := launch(t, nil)
	if r := command(t, 0, "run", "--config", d.config()); r.code != 1 || r.stderr == "" {
		t.Errorf("a second daemon ended with %d, want 1 and why: %s", r.code, r.stderr)
	}
	if got := d.status().PID; got != d.cmd.Process.Pid {
		t.Errorf("PID %d answers, want the first one's: %d", got, d.cmd.Process.Pid)
	}
	d.kill9()
	d.start() // what a dead one has left is in nobody's way
	d.stop()
}

// TestTheDaemonEndsInOrder: systemd hears of the end, in time.
func TestTheDaemonEndsInOrder(t *testing.T) {
	t.Parallel()
	d := install(t, nil)
	d.env = []string{fmt.Sprintf("WATCHDOG_USEC=%d", (400 * time.Millisecond).Microseconds())}
	d.start()
	eventually(t, "the watchdog told three times", func() bool { return d.supervisor.count("WATCHDOG=1") >= 3 })
	d.stop()
	if !d.supervisor.heard("STOPPING=1") {
		t.Errorf("systemd heard %q, want STOPPING=1 among it", d.supervisor.lines())
	}
	if !slices.ContainsFunc(d.supervisor.lines(), func(l string) bool { return strings.HasPrefix(l, "STATUS=") }) {
		t.Errorf("systemd heard %q, want a STATUS= among it", d.supervisor.lines())
	}
}
