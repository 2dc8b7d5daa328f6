package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-dev/berth/agent/api"
)

// The exit codes.
const (
	exitOK          = 0
	exitUsage       = 2
	exitUnreachable = 3
	exitDenied      = 4
	exitDegraded    = 6
	exitInvalid     = 78
)

// A result is what one command said and how it ended.
type result struct {
	args           []string
	stdout, stderr string
	code           int
}

// command runs berth with arguments as they are, as a user.
func command(t testing.TB, user uint32, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var stdout, stderr strings.Builder
	cmd.Env, cmd.Dir = []string{"PATH=" + os.Getenv("PATH")}, "/"
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	err := cmd.Run()
	if exit, isExit := errors.AsType[*exec.ExitError](err); err != nil && (!isExit || exit.ExitCode() < 0) {
		t.Fatalf("berth %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return result{args, stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// run asks the daemon by its command line.
func (d *daemon) run(args ...string) result {
	d.t.Helper()
	return command(d.t, 0, append([]string{"--socket", d.socket()}, args...)...)
}

// want fails the test unless the command ended with this code.
func (r result) want(t testing.TB, code int) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("berth %s: exit code %d, want %d\nstdout: %s\nstderr: %s", strings.Join(r.args, " "), r.code, code, r.stdout, r.stderr)
	}
	return r
}

// into decodes what a command with --json said.
func (r result) into(t testing.TB, out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), out); err != nil {
		t.Fatalf("berth %s: %v in %q", strings.Join(r.args, " "), err, r.stdout)
	}
}

// ask runs a command that must succeed and returns its JSON.
func ask[T any](d *daemon, args ...string) T {
	d.t.Helper()
	var out T
	d.run(append(args, "--json")...).want(d.t, exitOK).into(d.t, &out)
	return out
}

func (d *daemon) status() api.Status { d.t.Helper(); return ask[api.Status](d, "status") }
func (d *daemon) plan() api.LogPlan  { d.t.Helper(); return ask[api.LogPlan](d, "logs", "plan") }
func (d *daemon) why(object string) api.Why {
	d.t.Helper()
	return ask[api.Why](d, "why", object)
}

func (d *daemon) sweep(args ...string) api.SweepReport {
	d.t.Helper()
	return ask[api.SweepReport](d, append([]string{"logs", "sweep"}, args...)...)
}

// healthy waits until the daemon has nothing to complain of.
func (d *daemon) healthy() {
	d.t.Helper()
	eventually(d.t, "verdict ok", func() bool { return d.run("status", "--fail").code == exitOK })
}
