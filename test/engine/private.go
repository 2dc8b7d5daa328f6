package engine

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTimeout bounds the start and the orderly end of a private Engine.
const startTimeout = 60 * time.Second

// A Daemon is a dockerd of a test's own, which the test may ill-treat. It lives
// in a network namespace of its own: its bridge and its published ports cannot
// be reached from the test, and each Up gives it a new one.
type Daemon struct {
	*Engine
	dir   string
	data  string // the data root's name in dir
	flags []string
	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd has ended
}

// anotherDockerd is the environment variable that has all private Engines be of
// another dockerd than the PATH's: its path, and flags for it. What it starts, as
// containerd, is looked for beside it first.
const anotherDockerd = "BERTH_TEST_DOCKERD"

// Private starts a dockerd with a data root, exec root, socket and containerd
// of its own, and ends all of it with the test. Extra flags, such as
// --live-restore, are dockerd's. It needs root.
func Private(t testing.TB, flags ...string) *Daemon {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("docker: a private Engine needs root")
	}
	// Not t.TempDir: a socket's path has room for 107 bytes only.
	dir, err := os.MkdirTemp("", "berth-docker-")
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{Engine: At(t, filepath.Join(dir, "docker.sock")), dir: dir, data: "data", flags: flags}
	d.own = true
	t.Cleanup(func() { d.clean(t) })
	d.Up(t)
	return d
}

// DataRoot is where this Engine keeps images and containers.
func (d *Daemon) DataRoot() string { return filepath.Join(d.dir, d.data) }

// Move gives the next Up a data root with another name, as an operator does who
// starts dockerd with a wrong flag. It is empty if it is new.
func (d *Daemon) Move(name string) { d.data = name }

// PID is the process ID of dockerd, of the last one started.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Up starts dockerd and waits until it answers.
func (d *Daemon) Up(t testing.TB) {
	t.Helper()
	d.start(t)
	for deadline := time.Now().Add(startTimeout); ; {
		err := d.Do(http.MethodGet, "/_ping", nil, nil)
		if err == nil {
			return
		}
		select {
		case <-d.ended:
			t.Fatalf("docker: private dockerd ended: %v\n%s", d.cmd.ProcessState, d.log())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("docker: private dockerd does not answer: %v\n%s", err, d.log())
		}
	}
}

func (d *Daemon) start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(d.dir, "dockerd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d.cmd = d.command()
	d.cmd.Stdout, d.cmd.Stderr = log, log
	// A network namespace of its own: a second dockerd in the machine's would
	// fight over docker0, and one with --bridge=none deletes it.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWNET,
	}
	if err := os.WriteFile(filepath.Join(d.dir, "daemon.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatalf("docker: start a private Engine: %v", err)
	}
	cmd, ended := d.cmd, make(chan struct{})
	d.ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
}

// command is the dockerd to start, with what keeps it apart from all others.
func (d *Daemon) command() *exec.Cmd {
	space := filepath.Base(d.dir) // apart even where a system-wide containerd is shared
	flags := slices.Concat([]string{
		"--data-root=" + d.DataRoot(), "--exec-root=" + d.execRoot(), "--host=unix://" + d.socket,
		"--pidfile=" + filepath.Join(d.dir, "docker.pid"), "--config-file=" + filepath.Join(d.dir, "daemon.json"),
		"--containerd-namespace=" + space, "--containerd-plugins-namespace=" + space + "-plugins",
		"--iptables=false", "--ip6tables=false",
	}, d.flags)
	other := strings.Fields(os.Getenv(anotherDockerd))
	if len(other) == 0 {
		return exec.Command("dockerd", flags...)
	}
	cmd := exec.Command(other[0], append(flags, other[1:]...)...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(other[0])+":"+os.Getenv("PATH"))
	return cmd
}

// Down sends dockerd a signal that ends it, SIGTERM or SIGKILL, and waits for
// its end. The containers of an Engine with live-restore stay up.
func (d *Daemon) Down(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := d.signal(sig); err != nil {
		t.Fatalf("docker: end the private Engine: %v", err)
	}
	d.http.CloseIdleConnections()
	// The kernel ends containerd with its dockerd. The next dockerd must not
	// meet it dying: it would take it for alive and wait for it in vain.
	d.killAll(t, []byte(filepath.Join(d.execRoot(), "containerd", "containerd.toml")))
	_ = os.Remove(filepath.Join(d.execRoot(), "containerd", "containerd.pid"))
}

// Freeze stops dockerd with SIGSTOP: connections succeed, requests hang.
func (d *Daemon) Freeze(t testing.TB) {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

// Thaw lets a frozen dockerd go on.
func (d *Daemon) Thaw(t testing.TB) {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// signal sends sig and waits for dockerd to end.
func (d *Daemon) signal(sig syscall.Signal) error {
	if err := d.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-d.ended:
		return nil
	case <-time.After(startTimeout):
		return fmt.Errorf("signal %v: still there after %v", sig, startTimeout)
	}
}

func (d *Daemon) execRoot() string { return filepath.Join(d.dir, "exec") }

// log is the end of dockerd's log.
func (d *Daemon) log() []byte {
	b, _ := os.ReadFile(filepath.Join(d.dir, "dockerd.log"))
	return b[max(0, len(b)-4000):]
}
