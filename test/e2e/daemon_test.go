package e2e_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A daemon is one installation of Berth, and the process that runs on it.
type daemon struct {
	t          *testing.T
	dir        string // everything it owns
	settings   settings
	env        []string // NAME=value, besides the notify socket
	user       uint32   // who runs it; 0: root
	alone      bool     // it has a network namespace of its own
	supervisor *supervisor

	cmd   *exec.Cmd // nil while it does not run
	ended chan struct{}
}

// install makes the folder and the configuration of a daemon, without
// starting it. Its log root exists and is empty.
func install(t *testing.T, over settings) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth-e2e-") // not t.TempDir: a socket's path is at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	for _, path := range []string{dir, dir + "/logs"} {
		if err := errors.Join(os.MkdirAll(path, 0o755), os.Chmod(path, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	d := &daemon{t: t, dir: dir, settings: quick(dir), supervisor: supervise(t, dir+"/notify.sock")}
	d.configure(over)
	t.Cleanup(d.clean)
	return d
}

// launch installs a daemon and starts it.
func launch(t *testing.T, over settings) *daemon {
	t.Helper()
	d := install(t, over)
	d.start()
	return d
}

// configure changes settings in the file; it tells nobody.
func (d *daemon) configure(over settings) {
	d.t.Helper()
	d.settings = d.settings.with(over)
	d.write(d.settings.yaml(d.t))
}

// write replaces the configuration file in one step.
func (d *daemon) write(text string) {
	d.t.Helper()
	next := d.config() + ".next"
	if err := errors.Join(os.WriteFile(next, []byte(text), 0o644), os.Rename(next, d.config())); err != nil {
		d.t.Fatal(err)
	}
}

func (d *daemon) config() string { return filepath.Join(d.dir, "berth.yaml") }
func (d *daemon) socket() string { return filepath.Join(d.dir, "berth.sock") }
func (d *daemon) root() string   { return filepath.Join(d.dir, "logs") }

// spawn starts the process without waiting for it.
func (d *daemon) spawn() {
	d.t.Helper()
	log, err := os.OpenFile(d.dir+"/berth.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(binary, "run", "--config", d.config())
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "NOTIFY_SOCKET=" + d.supervisor.path}, d.env...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, d.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if d.user != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: d.user, Gid: d.user}
	}
	if d.alone {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
	}
	d.supervisor.forget()
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan struct{})
	d.cmd, d.ended = cmd, ended
	go func() { _ = cmd.Wait(); close(ended) }()
}

// start starts the process and waits until it has said that it is ready.
func (d *daemon) start() {
	d.t.Helper()
	d.spawn()
	eventually(d.t, "READY=1", func() bool {
		if d.over() {
			d.t.Fatalf("the daemon ended: %v", d.cmd.ProcessState)
		}
		return d.supervisor.heard("READY=1")
	})
}

// over reports whether the process has ended.
func (d *daemon) over() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// wait waits for the end of the process and returns its exit code, -1 for a
// death by signal.
func (d *daemon) wait(within time.Duration) int {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(within):
		_ = d.cmd.Process.Signal(syscall.SIGABRT) // the log gets the stacks
		<-d.ended
		d.t.Fatalf("the daemon did not end within %v", within)
	}
	code := d.cmd.ProcessState.ExitCode()
	d.cmd = nil
	return code
}

// signal sends a signal to the process.
func (d *daemon) signal(sig syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(sig); err != nil {
		d.t.Fatal(err)
	}
}

// hangup sends the signal that asks for a reload.
func (d *daemon) hangup() { d.t.Helper(); d.signal(syscall.SIGHUP) }

// kill9 ends the process without a word, and waits for its end.
func (d *daemon) kill9() {
	d.t.Helper()
	d.signal(syscall.SIGKILL)
	d.wait(patience)
}

// stop ends the process in order: exit code 0 within five seconds, and no
// socket left behind.
func (d *daemon) stop() {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	if code := d.wait(5 * time.Second); code != 0 {
		d.t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	if _, err := os.Lstat(d.socket()); !errors.Is(err, fs.ErrNotExist) {
		d.t.Errorf("socket after the end: %v, want it gone", err)
	}
}

// restart stops the process and starts it again.
func (d *daemon) restart() { d.t.Helper(); d.stop(); d.start() }

// clean ends what still runs and shows the log of a test that failed.
func (d *daemon) clean() {
	if d.cmd != nil && !d.over() {
		d.stop()
	}
	if d.t.Failed() {
		d.t.Logf("log of the daemon:\n%s", d.tail(80))
	}
}

// tail is the end of the daemon's log.
func (d *daemon) tail(lines int) string {
	b, _ := os.ReadFile(d.dir + "/berth.log")
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
