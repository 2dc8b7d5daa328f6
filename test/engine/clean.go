package engine

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// clean ends everything that a private Engine has started, whatever state the
// test left it in, and takes its mounts and files away.
func (d *Daemon) clean(t testing.TB) {
	if d.cmd != nil && d.cmd.Process != nil {
		_ = d.cmd.Process.Signal(syscall.SIGCONT)
		if err := d.signal(syscall.SIGKILL); err != nil {
			t.Errorf("docker: end the private Engine: %v", err)
		}
	}
	d.killRest(t)
	mounts, err := mountsBelow(d.dir)
	if err != nil {
		t.Error(err)
	}
	for _, m := range slices.Backward(mounts) {
		if err := unix.Unmount(m, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			t.Errorf("unmount %s: %v", m, err)
		}
	}
	d.removeCgroups()
	if err := os.RemoveAll(d.dir); err != nil {
		t.Error(err)
	}
}

// killRest kills containerd, its shims and the containers' processes.
func (d *Daemon) killRest(t testing.TB) {
	marks := [][]byte{[]byte(d.dir + "/")}
	for _, id := range d.containers() {
		marks = append(marks, []byte(id))
	}
	d.killAll(t, marks...)
}

// killAll kills processes until none is left. They are known by marks in their
// command lines and control groups, never by a name that another Engine's
// could bear.
func (d *Daemon) killAll(t testing.TB, marks ...[]byte) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); ; {
		pids := processesOf(marks)
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			thaw(pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if time.Now().After(deadline) {
			t.Errorf("docker: processes %v outlive the private Engine", pids)
			return
		}
		<-time.After(5 * time.Millisecond) // /proc has nothing to wait on
	}
}

// containers are the IDs that the data root knows.
func (d *Daemon) containers() []string {
	entries, _ := os.ReadDir(filepath.Join(d.DataRoot(), "containers"))
	var ids []string
	for _, e := range entries {
		if len(e.Name()) == 64 {
			ids = append(ids, e.Name())
		}
	}
	return ids
}

// processesOf lists the processes, other than this one, that bear one of the
// marks in their command line or control groups.
func processesOf(marks [][]byte) []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		cmdline, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		cgroup, _ := os.ReadFile("/proc/" + e.Name() + "/cgroup")
		marked := func(mark []byte) bool { return bytes.Contains(cmdline, mark) || bytes.Contains(cgroup, mark) }
		if slices.ContainsFunc(marks, marked) && !zombie(e.Name()) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// thaw lets the process of a paused container go on, so that it can die: on
// version 1 of control groups a frozen one does not.
func thaw(pid int) {
	groups, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	for line := range strings.Lines(string(groups)) {
		if _, path, ok := strings.Cut(strings.TrimSpace(line), ":freezer:"); ok && path != "/" {
			_ = os.WriteFile(filepath.Join("/sys/fs/cgroup/freezer", path, "freezer.state"), []byte("THAWED"), 0)
		}
	}
}

func zombie(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err != nil || bytes.Contains(stat, []byte(") Z "))
}

// mountsBelow lists the mount points below dir, outer ones first.
func mountsBelow(dir string) ([]string, error) {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var points []string
	for line := range strings.Lines(string(info)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			points = append(points, f[4])
		}
	}
	return points, nil
}

// removeCgroups removes the empty control groups that killed containers leave.
func (d *Daemon) removeCgroups() {
	for _, id := range d.containers() {
		for _, pattern := range []string{"/sys/fs/cgroup/*/docker/", "/sys/fs/cgroup/docker/"} {
			groups, _ := filepath.Glob(pattern + id)
			for _, g := range groups {
				_ = os.Remove(g)
			}
		}
	}
}
