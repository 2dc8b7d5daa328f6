package rig

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/test/engine"
)

// patience is how long a condition may take on a busy machine.
const patience = 90 * time.Second

// A Machine is one that has booted. It ends with its test.
type Machine struct {
	id  string
	pid int // of its systemd, as this machine sees it
}

// start is what the container runs: it makes the hierarchy pure and has mounts
// propagate, as they do on a host, and becomes systemd.
const start = `umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && mount --make-rshared / &&
	exec /sbin/init systemd.unified_cgroup_hierarchy=1`

// Boot boots a machine and waits until systemd calls it running. With failed
// units it does not, and the test fails with their names.
func Boot(t testing.TB) *Machine {
	t.Helper()
	id := command(t, "docker", "run", "--detach", "--label", engine.Label+"="+rand.Text()[:12],
		"--network", "none", "--cgroupns", "private", "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--env", "container=docker",
		"--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp", "--tmpfs", "/var/lib/docker:exec",
		"--stop-signal", "SIGRTMIN+3", image(t), "/bin/sh", "-c", start)
	t.Cleanup(func() { command(t, "docker", "rm", "--force", "--volumes", id) })
	m := &Machine{id: id}
	m.Eventually(t, "the machine is running", func() bool {
		return m.Try("systemctl", "is-system-running").Stdout == "running"
	})
	pid, err := strconv.Atoi(command(t, "docker", "inspect", "--format", "{{.State.Pid}}", id))
	if err != nil {
		t.Fatal(err)
	}
	m.pid = pid
	return m
}

// A Result is what a command of the machine did.
type Result struct {
	Code           int
	Stdout, Stderr string // without blanks at their ends
}

// Try runs a command on the machine.
func (m *Machine) Try(args ...string) Result {
	cmd := exec.Command("docker", append([]string{"exec", m.id}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	r := Result{}
	if err := cmd.Run(); err != nil {
		r.Code = -1
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			r.Code = exit.ExitCode()
		}
	}
	r.Stdout, r.Stderr = strings.TrimSpace(stdout.String()), strings.TrimSpace(stderr.String())
	return r
}

// Do runs a command that must succeed, and returns its output.
func (m *Machine) Do(t testing.TB, args ...string) string {
	t.Helper()
	r := m.Try(args...)
	if r.Code != 0 {
		t.Fatalf("%s: exit code %d\n%s\n%s", strings.Join(args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// Sh runs a script that must succeed.
func (m *Machine) Sh(t testing.TB, script string) string {
	t.Helper()
	return m.Do(t, "sh", "-euc", script)
}

// Copy puts a file of this machine onto that one.
func (m *Machine) Copy(t testing.TB, from, to string) {
	t.Helper()
	// docker cp does not see what is mounted inside: go by systemd's own root.
	command(t, "cp", "-r", from, m.Path(to))
}

// Path is where a path of the machine is on this one.
func (m *Machine) Path(path string) string {
	return filepath.Join("/proc", strconv.Itoa(m.pid), "root", path)
}

// Engine is the Engine inside the machine.
func (m *Machine) Engine(t testing.TB) *engine.Engine {
	t.Helper()
	return engine.At(t, m.Path("/run/docker.sock"))
}

// Show returns one property of a unit.
func (m *Machine) Show(unit, property string) string {
	return m.Try("systemctl", "show", "--property", property, "--value", unit).Stdout
}

// Journal is what a unit has written.
func (m *Machine) Journal(unit string) string {
	return m.Try("journalctl", "--no-pager", "--output", "cat", "--unit", unit).Stdout
}

// Eventually waits until a condition holds.
func (m *Machine) Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s\n%s\n%s", patience, what,
				m.Try("systemctl", "--failed", "--no-pager").Stdout, m.Try("journalctl", "--no-pager", "--lines", "30").Stdout)
		}
	}
}
