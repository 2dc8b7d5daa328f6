package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/test/engine"
)

// nobody is a user without any right to Docker or to the log root.
const nobody = 65534

// TestADaemonWithoutRightsSaysWhatItLacks: it runs, touches nothing, and names
// each cure.
func TestADaemonWithoutRightsSaysWhatItLacks(t *testing.T) {
	t.Parallel()
	d := install(t, settings{"logs.unknown_grace": "0s"})
	d.user = nobody
	if err := os.Chown(d.dir, nobody, nobody); err != nil { // the logs in it stay root's
		t.Fatal(err)
	}
	f := marked(t, filepath.Join(d.mount("orders"), deadID))
	socket := engine.Default(t).Socket()
	d.start()
	var s api.Status
	eventually(t, "a verdict of degraded", func() bool {
		r := d.run("status", "--fail", "--json")
		r.into(t, &s)
		return r.code == exitDegraded && s.Docker.Blind != ""
	})
	if lacks := strings.Join(s.Limited, "\n"); !strings.Contains(lacks, socket) {
		t.Errorf("status.limited is %q, want %s named", s.Limited, socket)
	}
	if len(s.Logs.Roots) != 1 || s.Logs.Roots[0].Fault == "" {
		t.Errorf("status.logs.roots is %+v, want a fault", s.Logs.Roots)
	}
	var checks []api.Check
	d.run("doctor", "--json").want(t, exitDegraded).into(t, &checks)
	for _, subject := range []string{socket, d.root()} {
		if !slices.ContainsFunc(checks, func(c api.Check) bool {
			return c.Level != "ok" && strings.Contains(c.Subject+c.Message, subject) && c.Cure != ""
		}) {
			t.Errorf("doctor has no cure for %s: %+v", subject, checks)
		}
	}
	d.run("logs", "sweep", "--json")
	untouched(t, f)
}
