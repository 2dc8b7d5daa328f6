package e2e_test

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/test/engine"
	"github.com/berth-dev/berth/test/storeserver"
)

// A watcher is a berth store watch that runs until the test ends.
type watcher struct {
	mu     sync.Mutex // guards the field below
	events []api.RecordEvent
}

// watch follows a store from outside all daemons.
func watch(t *testing.T, args ...string) *watcher {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"store", "watch", "--json"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	w, ended := &watcher{}, make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(out)
		for lines.Buffer(nil, 1<<20); lines.Scan(); {
			var e api.RecordEvent
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Errorf("%v in %s", err, lines.Text())
			}
			w.mu.Lock()
			w.events = append(w.events, e)
			w.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("berth store watch: %v", err)
		}
	})
	return w
}

// said counts the events of a type about a host.
func (w *watcher) said(kind, host string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, e := range w.events {
		if e.Type == kind && slices.ContainsFunc(e.Records, func(r api.StoreRecord) bool { return strings.HasSuffix(r.Key, "/"+host) }) {
			n++
		}
	}
	return n
}

// TestHostsMeetInASharedStore and see each other's ports, over restarts of an
// agent and of the store. P2: nobody sees any of these.
func TestHostsMeetInASharedStore(t *testing.T) {
	t.Parallel()
	server := storeserver.Etcd(t, storeserver.Debian)
	url := "etcd://" + server.Addr()
	shared := func(host string) settings {
		return settings{"docker.socket": engine.Default(t).Socket(), "publish.store": url, "host.id": host, "host.cluster": "meeting", "publish.ttl": "20s"}
	}
	w := watch(t, "--store", url, "--cluster", "meeting")
	a, b := launch(t, shared("host-a")), launch(t, shared("host-b"))
	id := engine.Default(t).Run(t, engine.Options{
		Ports: []string{"5555"}, Cmd: []string{"-listen=:5555"}, Labels: map[string]string{"com.docker.compose.service": "meeting-orders"},
	})
	want := a.mapped(id).URL

	ports := []string{"ports", "ls", "--all-hosts", "--service", "meeting-orders", "--format", "service-url"}
	both := want + "\n" + want + "\n" // both daemons watch the same Docker
	eventually(t, "each host's port at the other", func() bool { return b.run(ports...).stdout == both })
	direct := command(t, 0, append(ports, "--store", url, "--cluster", "meeting")...).want(t, exitOK)
	if direct.stdout != both {
		t.Errorf("past the daemon: got %q, want %q", direct.stdout, both)
	}
	if s := a.status(); s.Store.Engine != "etcd" || s.Store.Fault != "" {
		t.Errorf("the store's status is %+v", s.Store)
	}

	eventually(t, "the watcher's records", func() bool { return w.said("put", "host-a") > 0 && w.said("put", "host-b") > 0 })
	eventually(t, "the port at the watcher", func() bool { return strings.Contains(w.newest("host-a"), want) })
	before := w.said("put", "host-a")
	a.restart()
	a.kill9()
	a.start()
	server.Kill()
	server.Start()
	a.healthy()
	eventually(t, "both hosts' ports again", func() bool { return b.run(ports...).stdout == both })
	if gone, put := w.said("gone", "host-a"), w.said("put", "host-a"); gone != 0 || put != before {
		t.Errorf("the watcher was told %d times that host-a had gone, and of %d changes, want %d", gone, put, before)
	}
	engine.Default(t).Remove(t, id)
	eventually(t, "the port gone at the watcher", func() bool { return !strings.Contains(w.newest("host-a"), want) })
}

// newest is what the watcher knows of a host, as JSON.
func (w *watcher) newest(host string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range slices.Backward(w.events) {
		for _, r := range e.Records {
			if text, err := json.Marshal(r.Record); err == nil && strings.HasSuffix(r.Key, "/"+host) {
				return string(text)
			}
		}
	}
	return ""
}
