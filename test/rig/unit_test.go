package rig_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/test/dogstatsd"
	"github.com/berth-dev/berth/test/engine"
	"github.com/berth-dev/berth/test/rig"
)

// sweeping are the settings of a host where a dead container's folder goes at
// once.
const sweeping = `
docker: {settle: 0s}
logs: {grace: 0s, unknown_grace: 0s, first_sweep_delay: 0s, undo: 1h}
relay: {labels: {com.example.team: team}}
`

// TestUnitWorksUnderItsWholeHardening: readiness, Docker, the relay with names,
// a sweep in the log root of another owner, and no right that is missing.
func TestUnitWorksUnderItsWholeHardening(t *testing.T) {
	t.Parallel()
	m := installed(t, made.old)
	if out := m.Do(t, "systemd-analyze", "verify", "berth.service"); out != "" {
		t.Errorf("systemd-analyze verify says %s", out)
	}
	if r := m.Try("systemd-analyze", "security", "--offline=true", "--threshold=20", "/lib/systemd/system/berth.service"); r.Code != 0 {
		t.Errorf("exposure is too high: %s", r.Stdout[strings.LastIndex(r.Stdout, "→"):])
	}
	configure(t, m, sweeping)
	m.Do(t, "systemctl", "reload", "berth")
	e := m.Engine(t)

	var server *dogstatsd.Receiver
	m.Inside(t, func() {
		server = dogstatsd.Listen(t, dogstatsd.Options{Network: "udp", Address: "127.0.0.1:8125"})
	})
	service := m.Path("/var/log/apps/orders/containers")
	if err := os.MkdirAll(service, 0o777); err != nil {
		t.Fatal(err)
	}
	id := e.Run(t, engine.Options{
		Network: "bridge", Hostname: "", Cmd: []string{"-every=20ms"},
		Binds: []string{"/var/log/apps/orders/containers:/logs"}, Env: []string{"LOG_DIR=/logs", "DOGSTATSD=172.17.0.1:8125"},
	})
	server.Wait(t, "messages with a name", func(c dogstatsd.Counts) bool { return c.ByContainer["ci-"+string(id)] > 5 })

	// The workload's folder has its hostname; one with the whole ID is what is swept.
	folder := filepath.Join(service, string(id))
	if err := os.Rename(filepath.Join(service, id.Short()), folder); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(folder, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	m.Do(t, "berth", "logs", "sweep")
	if _, err := os.Stat(folder); err != nil {
		t.Fatalf("the folder of a container that lives: %v", err)
	}
	e.Remove(t, id)
	m.Eventually(t, "the folder is swept", func() bool {
		m.Do(t, "berth", "logs", "sweep")
		_, err := os.Stat(folder)
		return os.IsNotExist(err)
	})
	m.Do(t, "berth", "logs", "undo", string(id))
	if _, err := os.Stat(folder); err != nil {
		t.Errorf("after undo: %v", err)
	}
	if lacks := m.Do(t, "berth", "status", "--json"); strings.Contains(lacks, `CAP_NET_ADMIN`) || strings.Contains(lacks, "cannot connect") {
		t.Errorf("the unit lacks rights: %s", lacks)
	}
	if log := m.Journal("berth"); strings.Contains(log, "level=warn") || strings.Contains(log, "level=error") {
		t.Errorf("the journal has warnings:\n%s", log)
	}
}

// dropped are the settings that the drop-ins of the examples are for.
const dropped = `
docker: {settle: 0s}
api: {group: ops}
logs: {roots: [{path: /srv/logs}], rotate_after: 1s, first_sweep_delay: 0s}
relay: {stable_address: 169.254.231.1, upstream: "unixgram:///run/dsd.socket"}
`

// TestUnitDropInsDoWhatTheySay: what is in no ReadWritePaths cannot be swept,
// and the examples, all at once, change that and what else they are for.
func TestUnitDropInsDoWhatTheySay(t *testing.T) {
	t.Parallel()
	m := installed(t, made.old)
	m.Do(t, "mkdir", "-p", "/srv/logs")
	m.Do(t, "groupadd", "ops")
	configure(t, m, dropped)
	dogstatsd.Listen(t, dogstatsd.Options{Network: "unixgram", Address: m.Path("/run/dsd.socket")})
	m.Do(t, "systemctl", "restart", "berth")
	m.Eventually(t, "what it may not do is said", func() bool {
		out := m.Try("berth", "doctor").Stdout
		return strings.Contains(out, "read-only") && strings.Contains(out, "CAP_SYS_ADMIN") && strings.Contains(out, "members of group ops cannot connect")
	})
	m.Sh(t, `mkdir -p /etc/systemd/system/berth.service.d
		cp /usr/share/doc/berth/examples/systemd/*.conf /etc/systemd/system/berth.service.d/
		rm /etc/systemd/system/berth.service.d/receive-buffer.conf
		install -d -o berth -g berth -m 0700 /srv/archive; echo secret >/etc/berth/store.token
		systemctl daemon-reload; systemctl restart berth`)
	healthy(t, m)
	if out := m.Do(t, "systemd-analyze", "verify", "berth.service"); out != "" {
		t.Errorf("systemd-analyze verify says %s", out)
	}
	if out := m.Do(t, "ip", "-brief", "address", "show", "dev", "lo"); !strings.Contains(out, "169.254.231.1") {
		t.Errorf("lo has %s", out)
	}
	// CAP_CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, NET_ADMIN 12, SYS_ADMIN 21, LEASE 28.
	if out := m.Do(t, "grep", "CapEff", "/proc/"+m.Show("berth", "MainPID")+"/status"); !strings.HasSuffix(out, "000000001020100b") {
		t.Errorf("with all examples it has %s", out)
	}
	if out := m.Do(t, "cat", "/run/credentials/berth.service/store-token"); out != "secret" {
		t.Errorf("the credential is %q", out)
	}
	if out := m.Do(t, "stat", "-c", "%U:%G %a", "/run/berth/berth.sock"); out != "berth:ops 660" {
		t.Errorf("the socket is %s", out)
	}
	var status api.Status
	if err := json.Unmarshal([]byte(m.Do(t, "berth", "status", "--json")), &status); err != nil || status.Relay.Mode != "cred" || len(status.Limited) > 0 {
		t.Errorf("%v: mode %s, limited %q", err, status.Relay.Mode, status.Limited)
	}
	compresses(t, m)
}

// compresses has a closed file of another owner, in the folder of a container
// that lives, compressed where it lies.
func compresses(t *testing.T, m *rig.Machine) {
	t.Helper()
	id := string(m.Engine(t).Run(t, engine.Options{}))
	m.Sh(t, `cd /srv/logs; mkdir -p orders/containers/`+id+`; cd orders/containers/`+id+`
		seq 100000 >app.log.1; chown 12345:12345 app.log.1 .; chmod 0640 app.log.1; touch -d "3 hours ago" app.log.1`)
	m.Eventually(t, "a file is compressed", func() bool {
		m.Do(t, "berth", "jobs", "run", "logs")
		return m.Try("stat", "-c", "%u:%g %a", "/srv/logs/orders/containers/"+id+"/app.log.1.gz").Stdout == "12345:12345 640"
	})
}

func TestReloadRefusesABadFile(t *testing.T) {
	t.Parallel()
	m := installed(t, made.old)
	pid := m.Show("berth", "MainPID")
	configure(t, m, "config: {watch: false}\nlogs: {grace: 2h}\n")
	m.Do(t, "systemctl", "reload", "berth")
	configure(t, m, "config: {watch: false}\nlogs: {grace: 2 hours}\n")
	r := m.Try("systemctl", "reload", "berth")
	if r.Code == 0 {
		t.Error("systemctl reload succeeded with a bad file")
	}
	if log := m.Journal("berth"); !strings.Contains(log, "logs.grace") {
		t.Errorf("the journal does not say what is wrong:\n%s", log)
	}
	if got := m.Show("berth", "ActiveState") + " " + m.Show("berth", "MainPID"); got != "active "+pid {
		t.Errorf("after it berth is %s, was %s", got, pid)
	}
	status := m.Do(t, "berth", "status", "--json")
	if !strings.Contains(status, `"generation": 2`) && !strings.Contains(status, `"generation":2`) {
		t.Errorf("the configuration in force has changed: %s", status)
	}
}

// TestUnitComesBack: from a hang, with stacks in the journal, and from a sudden
// death; and not with a configuration that cannot be used.
func TestUnitComesBack(t *testing.T) {
	t.Parallel()
	m := installed(t, made.old)
	dropIn(t, m, "berth", "[Service]\nWatchdogSec=3s\nRestartSec=100ms\n")
	m.Do(t, "systemctl", "restart", "berth")
	healthy(t, m)
	first := m.Show("berth", "MainPID")
	m.Do(t, "kill", "-STOP", first)
	m.Eventually(t, "the watchdog has ended it", func() bool {
		return m.Show("berth", "MainPID") != first && m.Show("berth", "NRestarts") == "1"
	})
	healthy(t, m)
	if log := m.Journal("berth"); !strings.Contains(log, "Watchdog timeout") || !strings.Contains(log, "goroutine ") || !strings.Contains(log, "SIGABRT") {
		t.Errorf("no stacks in the journal:\n%s", log)
	}
	second := m.Show("berth", "MainPID")
	m.Do(t, "kill", "-KILL", second)
	m.Eventually(t, "it is back", func() bool {
		return m.Show("berth", "NRestarts") == "2" && m.Show("berth", "ActiveState") == "active" && m.Show("berth", "MainPID") != second
	})
	healthy(t, m)
	configure(t, m, "no: such key\n")
	m.Do(t, "kill", "-KILL", m.Show("berth", "MainPID"))
	m.Eventually(t, "it has failed for good", func() bool {
		return m.Show("berth", "ActiveState") == "failed" && m.Show("berth", "ExecMainStatus") == "78"
	})
	if log := m.Journal("berth"); !strings.Contains(log, "unknown key") {
		t.Errorf("the journal does not say why:\n%s", log)
	}
	if got := m.Show("berth", "SubState"); got != "failed" {
		t.Errorf("it is %s, and should not be restarted", got)
	}
}

func TestRestartLosesNoDatagram(t *testing.T) {
	t.Parallel()
	m := installed(t, made.old)
	keepsAll(t, m, "systemctl restart", func() {
		before := m.Show("berth", "MainPID")
		m.Do(t, "systemctl", "restart", "berth")
		if m.Show("berth", "MainPID") == before {
			t.Error("it was not restarted")
		}
	})
	keepsAll(t, m, "kill -9 and restart", func() {
		m.Do(t, "kill", "-KILL", m.Show("berth", "MainPID"))
		m.Eventually(t, "it is back", func() bool { return m.Show("berth", "NRestarts") == "1" && m.Show("berth", "ActiveState") == "active" })
	})
}

// TestSystemdOpensTheRelaysSocket: with a large buffer, for a Berth that may
// not ask for one.
func TestSystemdOpensTheRelaysSocket(t *testing.T) {
	t.Parallel()
	m := installed(t, made.old)
	m.Sh(t, `cd /usr/share/doc/berth/examples/systemd
		mkdir -p /etc/systemd/system/berth.service.d
		cp receive-buffer.conf /etc/systemd/system/berth.service.d/
		cp berth-relay.socket /etc/systemd/system/
		systemctl daemon-reload
		systemctl stop berth
		systemctl enable --now berth-relay.socket
		systemctl start berth`)
	healthy(t, m)
	if out := m.Do(t, "systemd-analyze", "verify", "berth-relay.socket"); out != "" {
		t.Errorf("systemd-analyze verify says %s", out)
	}
	if out := m.Do(t, "grep", "CapEff", "/proc/"+m.Show("berth", "MainPID")+"/status"); !strings.HasSuffix(out, "000000000000000a") {
		t.Errorf("it has %s", out)
	}
	buffers := m.Do(t, "ss", "--udp", "--listening", "--numeric", "--memory", "src", "172.17.0.1:8125")
	if !strings.Contains(buffers, "rb8388608") || strings.Count(buffers, "172.17.0.1:8125") != 1 {
		t.Errorf("the relay's sockets are %s", buffers)
	}
	if lacks := m.Do(t, "berth", "status", "--json"); strings.Contains(lacks, "CAP_NET_ADMIN") {
		t.Errorf("it lacks a buffer: %s", lacks)
	}
	keepsAll(t, m, "restart with systemd's socket", func() { m.Do(t, "systemctl", "restart", "berth") })
}
