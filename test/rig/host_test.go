package rig_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/test/dogstatsd"
	"github.com/berth-dev/berth/test/engine"
	"github.com/berth-dev/berth/test/rig"
)

// installed boots a machine with a release's deb on it, and waits until Berth
// sees Docker.
func installed(t *testing.T, release string) *rig.Machine {
	t.Helper()
	m := rig.Boot(t)
	m.Copy(t, file(t, release, "*_amd64.deb"), "/root/berth.deb")
	m.Do(t, "dpkg", "-i", "/root/berth.deb")
	healthy(t, m)
	return m
}

// healthy waits until Berth is active, as systemd has heard, and sees Docker.
func healthy(t *testing.T, m *rig.Machine) {
	t.Helper()
	m.Eventually(t, "berth is active and well", func() bool {
		return m.Show("berth", "ActiveState") == "active" && m.Try("berth", "status", "--fail").Code == 0
	})
}

// configure writes the configuration file.
func configure(t *testing.T, m *rig.Machine, text string) {
	t.Helper()
	if err := os.WriteFile(m.Path("/etc/berth/berth.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// dropIn gives a unit a drop-in.
func dropIn(t *testing.T, m *rig.Machine, unit, text string) {
	t.Helper()
	folder := m.Path("/etc/systemd/system/" + unit + ".service.d")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "test.conf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	m.Do(t, "systemctl", "daemon-reload")
}

// sent is how many datagrams are on their way while something happens.
const sent = 10_000

// keepsAll has a container of the machine send 10,000 datagrams to the relay,
// over three seconds, does something in the midst of it, and wants all of them
// at the server behind the relay.
func keepsAll(t *testing.T, m *rig.Machine, what string, happens func()) {
	t.Helper()
	e := m.Engine(t)
	id := e.Run(t, engine.Options{Network: "bridge"})
	var server *dogstatsd.Receiver
	m.Inside(t, func() {
		server = dogstatsd.Listen(t, dogstatsd.Options{Network: "udp", Address: "127.0.0.1:8125", Buffer: 4 << 20})
	})
	defer server.Stop()
	var conn net.Conn
	rig.InsideOf(t, processOf(t, m, string(id)), func() {
		var err error
		if conn, err = net.Dial("udp", "172.17.0.1:8125"); err != nil {
			t.Error(err)
		}
	})
	defer conn.Close()
	begun, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- send(conn, begun) }()
	<-begun
	happens()
	early := false
	select {
	case err := <-done:
		early = true
		done <- err
	default:
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if early {
		t.Errorf("%s took longer than the sending, so some of it was not under load", what)
	}
	deadline := time.After(30 * time.Second)
	for server.Counts().ByName["load"] < sent {
		select {
		case <-deadline:
			t.Fatalf("%s: %d of %d datagrams came, the relay says %s", what, server.Counts().ByName["load"], sent, m.Try("berth", "relay", "stats").Stdout)
		case <-time.After(10 * time.Millisecond):
		}
	}
	if c := server.Counts(); c.Errors > 0 || c.ByName["load"] != sent || c.ByContainer["ci-"+string(id)] == 0 {
		t.Errorf("%s: %+v", what, c)
	}
	t.Logf("%s: 0 of %d datagrams lost, %d of them with the name of their container", what, sent, server.Counts().ByContainer["ci-"+string(id)])
}

// send sends all, evenly, and closes begun after the first tenth.
func send(conn net.Conn, begun chan<- struct{}) error {
	const each = 20 // datagrams a tick
	tick := time.NewTicker(sendingTime * each / sent)
	defer tick.Stop()
	for n := range sent {
		if n == sent/10 {
			close(begun)
		}
		if n%each == 0 {
			<-tick.C
		}
		if _, err := fmt.Fprintf(conn, "load:%d|c", n); err != nil {
			return err
		}
	}
	return nil
}

const sendingTime = 20 * time.Second

// processOf is a container's process, as this machine sees it.
func processOf(t *testing.T, m *rig.Machine, id string) int {
	t.Helper()
	// The Engine knows it by the number that the machine's own namespace has.
	inner := m.Do(t, "docker", "inspect", "--format", "{{.State.Pid}}", id)
	namespace := func(path string) string {
		link, err := os.Readlink(path)
		if err != nil {
			return ""
		}
		return link
	}
	want := m.Do(t, "readlink", "/proc/"+inner+"/ns/net")
	processes, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range processes {
		if namespace(path) == want {
			pid, err := strconv.Atoi(strings.Split(path, "/")[2])
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("no process is in the network of container %s", id)
	return 0
}

// files is every file that a machine has outside what changes by itself, with
// its kind, owner and size.
func files(t *testing.T, m *rig.Machine) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	list := m.Sh(t, `find / -xdev \( -path /proc -o -path /sys -o -path /var/lib/dpkg -o -path /var/lib/rpm -o -path /var/log/journal \
		-o -path /var/log/dpkg.log -o -path /var/cache -o -path /var/lib/containerd -o -path /root -o -path /etc/docker \) -prune -o -print`)
	for path := range strings.Lines(list) {
		all[strings.TrimSpace(path)] = true
	}
	return all
}

// news is what is in one list and not in another.
func news(before, after map[string]bool) []string {
	var all []string
	for path := range after {
		if !before[path] {
			all = append(all, path)
		}
	}
	return all
}

// exit is a program's exit code.
func exit(name string, args ...string) (int, string) {
	cmd := exec.Command(name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return cmd.ProcessState.ExitCode(), string(out)
	}
	return 0, string(out)
}
