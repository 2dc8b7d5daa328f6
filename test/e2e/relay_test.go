package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/dogstatsd"
	"github.com/berth-dev/berth/test/engine"
)

// freePort is one that nobody has on any address of this host.
func freePort(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// relaying are the settings of a daemon whose relay listens on docker0.
func relaying(t *testing.T, e *engine.Engine, upstream string) settings {
	return settings{
		"docker.socket": e.Socket(), "relay.listen": fmt.Sprintf("docker0:%d", freePort(t)), "relay.upstream": upstream, "config.watch": false,
	}
}

// place is where containers are told to send: as berth docker0 tells people.
func (d *daemon) place() (host, port string) {
	d.t.Helper()
	var use []string
	eventually(d.t, "a place to send to", func() bool {
		use = ask[api.Docker0](d, "docker0").Use
		return len(use) > 0
	})
	host, port, err := net.SplitHostPort(use[0])
	if err != nil {
		d.t.Fatal(err)
	}
	return host, port
}

// sending is a workload with Datadog's own client, which does not name itself.
func sending(d *daemon, every string, labels map[string]string) engine.Options {
	host, port := d.place()
	return engine.Options{
		Network: "bridge", Labels: labels, Cmd: []string{"-every=" + every},
		Env: []string{"DD_AGENT_HOST=" + host, "DD_DOGSTATSD_PORT=" + port, "DD_ORIGIN_DETECTION_ENABLED=false"},
	}
}

// cgroupOf is the inode by which a client in the container would name it.
func cgroupOf(t *testing.T, pid int) uint64 {
	t.Helper()
	for _, path := range []string{"sys/fs/cgroup/memory", "sys/fs/cgroup"} {
		if info, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid), "root", path)); err == nil {
			return info.Sys().(*syscall.Stat_t).Ino
		}
	}
	t.Fatalf("process %d sees no cgroup", pid)
	return 0
}

// TestRelayNamesEachContainer: with Datadog's own client in real containers,
// in every mode, changed by reloads while it runs.
func TestRelayNamesEachContainer(t *testing.T) {
	t.Parallel()
	e := engine.Default(t)
	dir := t.TempDir()
	server := dogstatsd.Listen(t, dogstatsd.Options{Network: "unixgram", Address: filepath.Join(dir, "dsd.socket"), Credentials: true, Keep: true})
	d := launch(t, relaying(t, e, server.URL()).with(settings{"relay.labels": map[string]string{"com.example.team": "team"}}))
	orders := e.Run(t, sending(d, "5ms", map[string]string{"service": "orders", "com.example.team": "shop"}))
	billing := e.Run(t, sending(d, "5ms", map[string]string{"com.docker.compose.service": "billing"}))
	first, second := processOf(t, e, orders), processOf(t, e, billing)

	named := func(what string, one, two func(dogstatsd.Counts) int) {
		t.Helper()
		before := server.Counts()
		server.Wait(t, what, func(c dogstatsd.Counts) bool { return one(c) > one(before)+1 && two(c) > two(before)+1 })
	}
	by := func(field string) func(dogstatsd.Counts) int {
		return func(c dogstatsd.Counts) int { return c.ByContainer[field] }
	}
	pid := func(pid int) func(dogstatsd.Counts) int {
		return func(c dogstatsd.Counts) int { return c.ByPID[pid] }
	}
	tag := func(tag string) func(dogstatsd.Counts) int {
		return func(c dogstatsd.Counts) int { return c.ByTag[tag] }
	}
	mode := func(mode string) {
		t.Helper()
		d.configure(settings{"relay.origin": mode})
		d.run("reload").want(t, exitOK)
		if got := d.status().Relay.Mode; got != mode {
			t.Errorf("mode %q, want %q", got, mode)
		}
	}
	if got := d.status().Relay.Mode; got != "cred" {
		t.Errorf("auto came to %q", got)
	}
	named("credentials of both", pid(first), pid(second))
	mode("field")
	named("IDs of both", by("ci-"+string(orders)), by("ci-"+string(billing)))
	mode("inode")
	named("cgroups of both", by(fmt.Sprintf("in-%d", cgroupOf(t, first))), by(fmt.Sprintf("in-%d", cgroupOf(t, second))))
	mode("tags")
	named("tags of both", tag("team:shop"), tag("service:billing"))
	for _, each := range server.Datagrams() {
		check(t, each, map[string]inventory.ID{orders.Short(): orders, billing.Short(): billing}, map[int]inventory.ID{first: orders, second: billing})
	}
	if c := server.Counts(); c.Errors > 0 || c.Cut > 0 || c.Unended > 0 {
		t.Errorf("the server could not read %d lines (%v); %d datagrams were too long, %d had no end", c.Errors, c.LastError, c.Cut, c.Unended)
	}
	balanced(t, d)
}

// check holds what names a line's container against what the line says itself.
// With credentials the whole datagram is one container's.
func check(t *testing.T, each dogstatsd.Datagram, byHost map[string]inventory.ID, byPID map[int]inventory.ID) {
	t.Helper()
	for line := range strings.Lines(each.Payload) {
		m, err := dogstatsd.Parse(strings.TrimSuffix(line, "\n"))
		if err != nil {
			continue // counted by the server
		}
		from := ""
		for _, tag := range m.Tags {
			if host, found := strings.CutPrefix(tag, "from:"); found {
				from = host
			}
		}
		id := byHost[from]
		if field, found := strings.CutPrefix(m.Container, "ci-"); found && field != string(id) {
			t.Errorf("line of %s is said to be of %s", from, field)
		}
		if of := byPID[each.PID]; of != "" && of != id {
			t.Errorf("line of %s came with the credentials of %s", from, of)
		}
	}
}

// balanced waits until every message is accounted for, by container too.
func balanced(t *testing.T, d *daemon) api.Relay {
	t.Helper()
	var r api.Relay
	eventually(t, "balanced counts", func() bool {
		r = ask[api.Relay](d, "relay", "stats")
		return !slices.ContainsFunc(r.Senders, func(s api.RelaySender) bool { return !sums(s.Count) }) && r.Total.Messages > 0
	})
	return r
}

func sums(c api.RelayCount) bool {
	all := c.Delivered + c.Held
	for cause, n := range c.Dropped {
		if cause != "kernel" {
			all += n
		}
	}
	return all == c.Messages
}

// TestRelayHoldsWhileTheServerIsAway: nothing is lost, and people are told.
func TestRelayHoldsWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	e := engine.Default(t)
	server := dogstatsd.Listen(t, dogstatsd.Options{Network: "unixgram", Address: filepath.Join(t.TempDir(), "dsd.socket")})
	d := launch(t, relaying(t, e, server.URL()))
	id := e.Run(t, sending(d, "2ms", nil))
	server.Wait(t, "messages", func(c dogstatsd.Counts) bool { return c.Messages > 0 })
	server.Stop()
	eventually(t, "a reason in the status", func() bool {
		var s api.Status
		d.run("status", "--json").into(t, &s)
		return s.Verdict == api.Degraded && slices.ContainsFunc(s.Reasons, func(r string) bool { return strings.Contains(r, "is away") })
	})
	eventually(t, "its event", func() bool { return strings.Contains(d.run("events").stdout, "relay.upstream.down") })
	eventually(t, "messages held", func() bool { return d.status().Relay.Held > 20 })
	server.Start(t)
	e.Stop(t, id)
	eventually(t, "the event of its return", func() bool { return strings.Contains(d.run("events").stdout, "relay.upstream.up") })
	eventually(t, "nothing held", func() bool { return d.status().Relay.Held == 0 })
	r := balanced(t, d)
	if r.State.Dropped > 0 {
		t.Errorf("%d messages were dropped: %v", r.State.Dropped, r.Total.Dropped)
	}
	server.Wait(t, "all of them", func(c dogstatsd.Counts) bool { return c.Messages == int(r.Total.Messages) })
	d.healthy()
}

// TestRelayShowsAndWritesWhatPasses: the tap and the capture.
func TestRelayShowsAndWritesWhatPasses(t *testing.T) {
	t.Parallel()
	e := engine.Default(t)
	server := dogstatsd.Listen(t, dogstatsd.Options{Network: "udp"})
	d := launch(t, relaying(t, e, server.URL()))
	id := e.Run(t, sending(d, "5ms", map[string]string{"com.docker.compose.service": "orders"}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	enough := errors.New("enough")
	err := api.NewClient(d.socket(), patience).RelayTap(ctx, api.RelayFilter{Service: "orders", Name: "workload."}, func(l api.RelayLine) error {
		if l.Line == "" || l.Container == "" {
			return nil
		}
		if l.Container != string(id) || !strings.HasSuffix(l.Line, "|c:ci-"+string(id)) || !strings.HasPrefix(l.Line, "workload.") {
			t.Errorf("the tap shows %+v", l)
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Fatalf("the tap ended with %v", err)
	}
	done := ask[api.Capture](d, "relay", "capture", "--for", "2s", "--service", "orders")
	content, err := os.ReadFile(done.Path)
	if err != nil {
		t.Fatal(err)
	}
	if done.Datagrams == 0 || int64(len(content)) != done.Bytes || !strings.HasPrefix(string(content), "\xD4\x74\xD0\x60") || !strings.Contains(string(content), string(id)) {
		t.Errorf("captured %+v", done)
	}
	host, port := d.place()
	file := ask[api.Docker0](d, "docker0").File
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "DD_AGENT_HOST="+host+"\nDD_DOGSTATSD_PORT="+port) {
		t.Errorf("applications are told %q, %v", text, err)
	}
	d.stop()
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("applications are still told where to send: %v", err)
	}
}

// TestRelayWithoutRightsSaysWhatItLacks: it relays, and names the cures.
func TestRelayWithoutRightsSaysWhatItLacks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dsd.socket")
	server := dogstatsd.Listen(t, dogstatsd.Options{Network: "unixgram", Address: path})
	for _, p := range []string{filepath.Dir(filepath.Dir(path)), filepath.Dir(path), path} {
		if err := os.Chmod(p, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	d := install(t, relaying(t, engine.Default(t), server.URL()))
	d.user = nobody
	if err := os.Chown(d.dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	d.start()
	host, port := d.place()
	conn, err := net.Dial("udp", net.JoinHostPort(host, port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("host:1|c")); err != nil {
		t.Fatal(err)
	}
	server.Wait(t, "a message", func(c dogstatsd.Counts) bool { return c.ByName["host"] == 1 })
	var s api.Status
	d.run("status", "--json").into(t, &s)
	if lacks := strings.Join(s.Limited, "\n"); !strings.Contains(lacks, "CAP_SYS_ADMIN") || s.Relay.Mode != "field" {
		t.Errorf("limited %q, mode %s", s.Limited, s.Relay.Mode)
	}
}

// TestRelaySaysWhoHasItsPort, and listens once that is free.
func TestRelaySaysWhoHasItsPort(t *testing.T) {
	t.Parallel()
	server := dogstatsd.Listen(t, dogstatsd.Options{Network: "udp"})
	other, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	port := other.LocalAddr().(*net.UDPAddr).Port
	d := launch(t, relaying(t, engine.Default(t), server.URL()).with(settings{"relay.listen": fmt.Sprintf("docker0:%d", port)}))
	var s api.Status
	eventually(t, "who has it", func() bool {
		d.run("status", "--json").into(t, &s)
		return slices.ContainsFunc(s.Relay.Faults, func(f string) bool {
			return strings.Contains(f, fmt.Sprintf("(process %d) on 0.0.0.0:%d", os.Getpid(), port))
		})
	})
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it listening", func() bool { return len(d.status().Relay.Addresses) > 0 })
}
