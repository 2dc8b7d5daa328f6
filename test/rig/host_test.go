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

// The load while something happens: at least so many datagrams, as fast.
const (
	sent   = 10_000
	perSec = 1_000
)

// keepsAll has a container of the machine send to the relay, does something in
// the midst of it, and wants all datagrams at the server behind the relay: ten
// thousand, or more where it takes longer.
func keepsAll(t *testing.T, m *rig.Machine, what string, happens func()) {
	t.Helper()
	id := m.Engine(t).Run(t, engine.Options{Network: "bridge"})
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
	begun, enough, total := make(chan struct{}), make(chan struct{}), make(chan int, 1)
	go func() { total <- send(t, conn, begun, enough) }()
	<-begun
	happens()
	close(enough)
	all := <-total
	for deadline := time.After(patience); server.Counts().ByName["load"] < all; {
		select {
		case <-deadline:
			t.Fatalf("%s: %d of %d datagrams came, the relay says %s", what, server.Counts().ByName["load"], all, m.Try("berth", "relay", "stats").Stdout)
		case <-time.After(10 * time.Millisecond):
		}
	}
	c := server.Counts()
	if c.Errors > 0 || c.ByName["load"] != all || c.ByContainer["ci-"+string(id)] == 0 {
		t.Errorf("%s: %+v", what, c)
	}
	t.Logf("%s: 0 of %d datagrams lost, %d of them with the name of their container", what, all, c.ByContainer["ci-"+string(id)])
}

// patience is for what has been sent to arrive.
const patience = 30 * time.Second

// send sends evenly, closes begun after the first tenth, and ends when all are
// sent and it is enough. It returns how many there were.
func send(t *testing.T, conn net.Conn, begun chan<- struct{}, enough <-chan struct{}) int {
	const each = 10 // datagrams a tick
	tick := time.NewTicker(time.Second * each / perSec)
	defer tick.Stop()
	for n := 0; ; n++ {
		if n == sent/10 {
			close(begun)
		}
		if n%each == 0 {
			<-tick.C
			select {
			case <-enough:
				if n >= sent {
					return n
				}
			default:
			}
		}
		if _, err := fmt.Fprintf(conn, "load:%d|c", n); err != nil {
			t.Errorf("send: %v", err)
		}
	}
}

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
