package cli_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/cli"
	"github.com/berth-dev/berth/agent/internal/config"
)

func TestWrongCommandLinesEndWithUsage(t *testing.T) {
	r := serve(t)
	tests := map[string]string{
		"no-such-command":                "there is no command berth no-such-command",
		"statsu":                         "did you mean berth status?",
		"logs no-such":                   "there is no command berth logs no-such",
		"logs swep":                      "did you mean berth logs sweep?",
		"status --no-such-flag":          "--no-such-flag",
		"status extra":                   "extra",
		"status --color pink":            "auto, always or never",
		"status --timeout soon":          "soon",
		"run --no-such-flag":             "--no-such-flag",
		"why":                            "arg",
		"logs undo":                      "only one of them",
		"logs undo 4f1c --last":          "only one of them",
		"logs undo --plan 7c1f --last":   "only one of them",
		"logs undo --last=false":         "only one of them",
		"logs history --limit -1":        "--limit",
		"events --since -1":              "--since",
		"completion tcsh":                "tcsh",
		"config check a.yaml --config b": "one file",
	}
	for line, says := range tests {
		t.Run(line, func(t *testing.T) {
			out := r.berth(t, line).ended(t, 2)
			out.says(t, says, "--help")
			if out.stdout != "" {
				t.Errorf("on the standard output: %s", out.stdout)
			}
		})
	}
}

func TestGroupsOfCommandsShowTheirHelp(t *testing.T) {
	for _, line := range []string{"", "logs", "jobs", "config", "ports", "store", "help logs", "--version"} {
		if out := berth(t, strings.Fields(line)).ended(t, 0); out.stdout == "" || out.stderr != "" {
			t.Errorf("berth %s: %q, %q", line, out.stdout, out.stderr)
		}
	}
}

func TestCommandsNameTheSocketThatNobodyListensOn(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "b.sock")
	for _, line := range []string{"status", "ps", "events", "why x", "logs ls", "logs plan", "logs sweep", "logs undo --last", "logs history", "images ls", "images plan", "images sweep", "images history", "jobs ls", "jobs run logs", "jobs history logs", "ports ls", "reservation", "relay stats", "relay tap", "relay capture", "docker0", "store ls", "store get x", "config show", "reload"} {
		out := berth(t, strings.Fields(line), environ("BERTH_SOCKET="+socket)).ended(t, 3)
		out.says(t, "nobody listens on "+socket, "systemctl start berth")
		if strings.Count(out.stderr, "\n") != 1 || out.stdout != "" {
			t.Errorf("berth %s: want one line on the standard error alone: %q %q", line, out.stdout, out.stderr)
		}
	}
}

func TestFailuresEndWithTheirCode(t *testing.T) {
	tests := map[string]struct {
		line    string
		prepare func(*sample)
		code    int
		says    string
	}{
		"not found":            {"why nothing", nil, 1, `Not found: no container is called "nothing"`},
		"conflict":             {"jobs run logs", func(s *sample) { s.refused = api.Conflict("job logs runs already") }, 1, "Conflict: job logs runs already"},
		"daemon's own error":   {"reload", func(s *sample) { s.refused = errors.New("disk on fire") }, 1, "Internal error: disk on fire"},
		"failed run":           {"jobs run logs", func(s *sample) { s.run.Result = "failed" }, 1, ""},
		"blind run":            {"jobs run logs", func(s *sample) { s.run.Result = "blind" }, 1, ""},
		"partial run":          {"jobs run logs", func(s *sample) { s.run.Result = "partial" }, 0, ""},
		"blind sweep":          {"logs sweep", func(s *sample) { s.sweep = api.SweepReport{Plan: api.LogPlan{Blind: "docker is away"}} }, 1, ""},
		"blind images":         {"images sweep", func(s *sample) { s.images = api.ImageSweepReport{Plan: api.ImagePlan{Blind: "docker is away"}} }, 1, ""},
		"an image lost":        {"images sweep", func(s *sample) { s.images = api.ImageSweepReport{Lost: []api.Object{{}}} }, 1, ""},
		"blind dry run":        {"logs sweep --dry-run", func(s *sample) { s.sweep = api.SweepReport{Plan: api.LogPlan{Blind: "docker is away"}} }, 0, ""},
		"sweep with a fault":   {"logs sweep", func(s *sample) { s.sweep.Fault = "write audit: no space" }, 1, ""},
		"undo that failed":     {"logs undo --last", func(s *sample) { s.undo.Failed = s.undo.Restored }, 1, ""},
		"no such record":       {"store get no", nil, 1, "the store holds no record of no"},
		"degraded":             {"status --fail", func(s *sample) { s.status = ill() }, 6, ""},
		"degraded, not asked":  {"status", func(s *sample) { s.status = ill() }, 0, ""},
		"well":                 {"status --fail", nil, 0, ""},
		"doctor finds trouble": {"doctor", nil, 6, ""},
		"refused configuration": {"reload", func(s *sample) {
			s.refused = api.InvalidConfig([]api.Fault{{File: "b.yaml", Line: 2, Column: 3, Key: "logs.shedule", Message: "unknown key"}}, "1 fault; generation 4 keeps running")
		}, 78, "b.yaml:2:3: logs.shedule: unknown key\nberth: Configuration rejected: 1 fault"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := serve(t)
			if tt.prepare != nil {
				tt.prepare(r.sample)
			}
			for _, as := range []string{"", " --json"} {
				r.berth(t, tt.line+as).ended(t, tt.code).says(t, tt.says)
			}
		})
	}
}

func TestCallersInContainersAreNotPermittedToOperate(t *testing.T) {
	proc := t.TempDir()
	file := filepath.Join(proc, strconv.Itoa(os.Getpid()), "cgroup")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("0::/docker/"+id("4f1c")+"\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	r := serve(t, func(s *api.Server) { s.Proc = proc })
	r.berth(t, "ps").ended(t, 0)
	for _, line := range []string{"logs sweep", "logs undo --last", "jobs run logs", "reload"} {
		r.berth(t, line).ended(t, 4).says(t, "Not permitted", "container 4f1c")
	}
}

// asNobody, if set, makes a test process run one command on this socket.
const asNobody = "BERTH_TEST_AS_NOBODY"

func TestOtherUsersAreToldWhatItTakes(t *testing.T) {
	if line := os.Getenv(asNobody); line != "" {
		out := berth(t, strings.Fields(line)).ended(t, 4)
		out.says(t, os.Getenv(asNobody+"_SAYS"))
		return
	}
	r := serve(t)
	if err := os.Chmod(filepath.Dir(r.socket), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, line, says string
		mode             os.FileMode
	}{
		{"may not connect", "status", "permission denied", 0o600},
		{"may not connect, watching", "status --watch", "permission denied", 0o600},
		{"may only read", "reload", "no operator group is configured", 0o666},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.Chmod(r.socket, tt.mode); err != nil {
				t.Fatal(err)
			}
			child := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestOtherUsersAreToldWhatItTakes$")
			child.Dir = "/"
			child.Env = append(os.Environ(), asNobody+"=--socket "+r.socket+" "+tt.line, asNobody+"_SAYS="+tt.says)
			child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestRunIsTheDaemonAndItsFaultsAreSaid(t *testing.T) {
	var from config.Sources
	daemon := func(ends error) look {
		return func(e *cli.Env) {
			e.Run = func(_ context.Context, s config.Sources) error { from = s; return ends }
		}
	}
	berth(t, []string{"run"}, daemon(nil)).ended(t, 0)
	if from.File != "/etc/berth/berth.yaml" || !from.Optional {
		t.Errorf("without a file named: %+v", from)
	}
	berth(t, []string{"run"}, daemon(nil), environ("BERTH_CONFIG=/a.yaml")).ended(t, 0)
	if from.File != "/a.yaml" || from.Optional || len(from.Env) != 1 {
		t.Errorf("with a file in the environment: %+v", from)
	}
	berth(t, []string{"run", "--config", "b.yaml", "--set", "a=1", "--set", "b=[1,2]"}, daemon(nil), environ("BERTH_CONFIG=/a.yaml")).ended(t, 0)
	if from.File != "b.yaml" || strings.Join(from.Set, " ") != "a=1 b=[1,2]" {
		t.Errorf("with flags: %+v", from)
	}
	berth(t, []string{"run", "--set", "log.level=info", "--log-level", "debug"}, daemon(nil)).ended(t, 0)
	if strings.Join(from.Set, " ") != "log.level=info log.level=debug" {
		t.Errorf("with a level: %+v", from)
	}
	berth(t, []string{"run", "--log-level", "loud"}, daemon(nil)).ended(t, 2).says(t, `not "loud"`)
	invalid := &config.Invalid{Faults: []config.Fault{{File: "b.yaml", Line: 2, Column: 3, Key: "k", Message: "unknown key"}}}
	berth(t, []string{"run"}, daemon(invalid)).ended(t, 78).says(t, "b.yaml:2:3: k: unknown key\n")
	berth(t, []string{"run"}, daemon(&api.Running{Lock: "/l", PID: "7"})).ended(t, 1).says(t, "another berth runs already, as process 7")
	berth(t, []string{"run"}, daemon(errors.Join(errors.New("a"), errors.New("b")))).ended(t, 1).says(t, "berth: a; b\n")
	berth(t, []string{"run"}).ended(t, 1)
}
