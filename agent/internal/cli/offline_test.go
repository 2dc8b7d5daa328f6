package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/cli"
	"github.com/berth-dev/berth/agent/internal/config"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "berth.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigCheckFindsEveryFaultWithoutADaemon(t *testing.T) {
	bad := file(t, "logs:\n  shedule: x\n  grace: 1 hour\n")
	for _, args := range [][]string{{bad}, {"--config", bad}} {
		out := berth(t, append([]string{"config", "check"}, args...)).ended(t, 78)
		out.says(t, bad+":2:3: logs.shedule: unknown key (did you mean \"schedule\"?)", bad+":3:10: logs.grace")
	}
	out := berth(t, []string{"config", "check", "--json", bad}).ended(t, 78)
	var faults []api.Fault
	if err := json.Unmarshal([]byte(out.stdout), &faults); err != nil || len(faults) != 2 || out.stderr != "" {
		t.Errorf("%v: %s%s", err, out.stdout, out.stderr)
	}
	berth(t, []string{"config", "check", filepath.Join(t.TempDir(), "no.yaml")}).ended(t, 78).says(t, "does not exist")
}

func TestConfigCheckSaysWhatIsInVain(t *testing.T) {
	good := file(t, "logs:\n  grace: 2h\nimages:\n  min_age: 5h\n")
	out := berth(t, []string{"config", "check", good}).ended(t, 0)
	if !strings.HasPrefix(out.stdout, good+": ok\n") {
		t.Errorf("got %s", out.stdout)
	}
	if out := berth(t, []string{"config", "check", "--json", good}).ended(t, 0); out.stdout != "[]\n" {
		t.Errorf("got %s", out.stdout)
	}
}

func TestConfigCheckAsksTheOtherParsers(t *testing.T) {
	checks := config.Checks{Schedule: func(s string) error { return os.ErrInvalid }}
	out := berth(t, []string{"config", "check", "--set", "logs.schedule=@never"}, func(e *cli.Env) { e.Checks = checks })
	out.ended(t, 78).says(t, "flag --set: logs.schedule", "invalid argument")
}

func TestConfigIsDocumentedWithoutADaemon(t *testing.T) {
	tests := map[string][]byte{"default": config.DefaultFile(), "schema": config.Schema(), "reference": config.Reference()}
	for name, want := range tests {
		out := berth(t, []string{"config", name}).ended(t, 0)
		if diff := cmp.Diff(string(want), out.stdout); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	berth(t, []string{"config", "check", file(t, string(config.DefaultFile()))}).ended(t, 0)
}

func TestDoctorLooksForWhatKeepsTheDaemonAway(t *testing.T) {
	socket := environ("BERTH_SOCKET=" + filepath.Join(t.TempDir(), "b.sock"))
	out := berth(t, []string{"doctor"}, socket, environ("BERTH_CONFIG="+file(t, "shedule: 1\n"))).ended(t, 3)
	for _, part := range []string{"FAIL  daemon: nobody listens on", "→ is berth running? start it with: systemctl start berth", "FAIL  configuration: ", ":1:1: shedule: unknown key"} {
		if !strings.Contains(out.stdout, part) {
			t.Errorf("no %q in\n%s", part, out.stdout)
		}
	}
	out = berth(t, []string{"doctor", "--json"}, socket, environ("BERTH_CONFIG="+file(t, "\n"))).ended(t, 3)
	var checks []api.Check
	if err := json.Unmarshal([]byte(out.stdout), &checks); err != nil || len(checks) != 2 || checks[1].Level != "ok" {
		t.Errorf("%v: %s", err, out.stdout)
	}
}

func TestVersionNamesBothEnds(t *testing.T) {
	r := serve(t)
	out := r.berth(t, "version").ended(t, 0).stdout
	if !strings.HasPrefix(out, "berth ") || !strings.Contains(out, "\ndaemon: 0.4.1 (") {
		t.Errorf("got %s", out)
	}
	alone := berth(t, []string{"version", "--socket", filepath.Join(t.TempDir(), "b.sock")}).ended(t, 0).stdout
	if !strings.Contains(alone, "daemon: nobody listens") {
		t.Errorf("got %s", alone)
	}
	var v cli.Versions
	if err := json.Unmarshal([]byte(r.berth(t, "version --json").ended(t, 0).stdout), &v); err != nil || v.Server == nil || v.Client != cli.Build() {
		t.Errorf("%v: %+v", err, v)
	}
}
