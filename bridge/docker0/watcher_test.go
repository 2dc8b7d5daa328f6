package docker0_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/docker0"
)

const patience = 10 * time.Second // until a test is lost

// watch runs a Watcher in a namespace until the test ends.
func watch(t testing.TB, n *namespace, options ...func(*docker0.Watcher)) *docker0.Watcher {
	t.Helper()
	w := &docker0.Watcher{Interface: "docker0", Namespace: n.file, Log: slog.New(slog.DiscardHandler)}
	for _, set := range options {
		set(w)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run returned %v after cancellation, want nil", err)
			}
		case <-time.After(patience):
			t.Error("Run has not returned after cancellation")
		}
	})
	return w
}

// until waits for a state.
func until(t testing.TB, w *docker0.Watcher, what string, holds func(docker0.State) bool) docker0.State {
	t.Helper()
	lost := time.After(patience)
	for {
		s, expired := w.Watch()
		if holds(s) {
			return s
		}
		select {
		case <-expired:
		case <-lost:
			t.Fatalf("%s was not seen; the state is %+v", what, s)
		}
	}
}

// at holds once docker0 has these addresses and nothing is wrong with it.
func at(addresses ...string) func(docker0.State) bool {
	var want []netip.Addr
	for _, a := range addresses {
		want = append(want, netip.MustParseAddr(a))
	}
	return func(s docker0.State) bool {
		return len(s.Bridges) > 0 && s.Bridges[0].Name == "docker0" && s.Bridges[0].Up &&
			slices.Equal(s.Bridges[0].Addresses, want) && len(s.Faults) == 0
	}
}

func faulty(words string) func(docker0.State) bool {
	return func(s docker0.State) bool {
		return slices.ContainsFunc(s.Faults, func(f string) bool { return strings.Contains(f, words) })
	}
}

func TestABridgeThatIsThereIsSeen(t *testing.T) {
	n := newNamespace(t)
	index := n.add(t, "bridge", "docker0")
	n.give(t, "docker0", "172.17.0.1/16")
	s := until(t, watch(t, n), "docker0", at("172.17.0.1"))
	if got := s.Bridges[0].Index; got != index {
		t.Errorf("docker0 has index %d, want %d", got, index)
	}
}

func TestABridgeThatComesLateIsSeen(t *testing.T) {
	n := newNamespace(t)
	w := watch(t, n)
	until(t, w, "that docker0 is missing", faulty("docker0 is not there"))
	n.add(t, "bridge", "docker0")
	until(t, w, "docker0 without an address", faulty("docker0 has no address"))
	n.give(t, "docker0", "172.17.0.1/16")
	until(t, w, "docker0", at("172.17.0.1"))
}

func TestAnotherAddressIsSeen(t *testing.T) {
	n := newNamespace(t)
	n.add(t, "bridge", "docker0")
	n.give(t, "docker0", "172.17.0.1/16")
	w := watch(t, n)
	until(t, w, "docker0", at("172.17.0.1"))
	n.take(t, "docker0", "172.17.0.1/16")
	until(t, w, "docker0 without an address", faulty("docker0 has no address"))
	n.give(t, "docker0", "10.200.0.1/24")
	until(t, w, "the new address", at("10.200.0.1"))
}

func TestABridgeThatIsMadeAnewIsSeen(t *testing.T) {
	n := newNamespace(t)
	before := n.add(t, "bridge", "docker0")
	n.give(t, "docker0", "172.17.0.1/16")
	w := watch(t, n)
	until(t, w, "docker0", at("172.17.0.1"))
	n.remove(t, "docker0")
	until(t, w, "that docker0 is missing", faulty("docker0 is not there"))
	after := n.add(t, "bridge", "docker0")
	n.give(t, "docker0", "172.17.0.1/16")
	s := until(t, w, "docker0 again", at("172.17.0.1"))
	if got := s.Bridges[0].Index; got != after || got == before {
		t.Errorf("docker0 has index %d, want %d, and not %d as before", got, after, before)
	}
}

func TestABridgeThatIsSetDownIsSaid(t *testing.T) {
	n := newNamespace(t)
	n.add(t, "bridge", "docker0")
	n.give(t, "docker0", "172.17.0.1/16")
	w := watch(t, n)
	until(t, w, "docker0", at("172.17.0.1"))
	n.up(t, "docker0", false)
	until(t, w, "that docker0 is down", faulty("docker0 is down"))
	n.up(t, "docker0", true)
	until(t, w, "docker0 up again", at("172.17.0.1"))
}

// Each interface has a link-local IPv6 address, which differs on each host and
// needs a zone to be used: it is none to tell to applications.
func TestIPv6IsSeenWithoutLinkLocalAddresses(t *testing.T) {
	n := newNamespace(t)
	n.add(t, "bridge", "docker0")
	n.give(t, "docker0", "172.17.0.1/16")
	w := watch(t, n)
	until(t, w, "docker0", at("172.17.0.1"))
	n.give(t, "docker0", "fe80::1/64")
	n.give(t, "docker0", "fd00:17::1/64")
	n.give(t, "docker0", "2001:db8::1/64")
	until(t, w, "two addresses more", at("172.17.0.1", "2001:db8::1", "fd00:17::1"))
}

func TestOtherBridgesOfDockerAreSeenAndNothingElse(t *testing.T) {
	n := newNamespace(t)
	w := watch(t, n)
	n.add(t, "bridge", "br-0a1b2c3d4e5f")
	n.give(t, "br-0a1b2c3d4e5f", "172.18.0.1/16")
	n.add(t, "bridge", "br-lan")
	n.give(t, "br-lan", "192.168.0.1/24")
	n.add(t, "veth", "eth0")
	n.give(t, "eth0", "10.0.0.1/24")
	n.add(t, "bridge", "docker0")
	n.give(t, "docker0", "172.17.0.1/16")
	s := until(t, w, "docker0", at("172.17.0.1"))
	var names []string
	for _, b := range s.Bridges {
		names = append(names, b.Name)
	}
	if want := []string{"docker0", "br-0a1b2c3d4e5f"}; !slices.Equal(names, want) {
		t.Errorf("bridges are %q, want %q", names, want)
	}
}

// lines is a log that a test can look into.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) has(words string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), words)
}

// The buffer takes no more than a message or two, so that news of links is
// lost while the Watcher lists. Each change goes on until some was.
func TestNothingIsMissedWhenNewsIsLost(t *testing.T) {
	n := newNamespace(t)
	n.add(t, "bridge", "docker0")
	var log lines
	w := watch(t, n, func(w *docker0.Watcher) {
		w.Buffer = 1
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	until(t, w, "docker0", faulty("docker0 has no address"))
	deadline := time.Now().Add(patience)
	for i := 0; !log.has("netlink lost news"); i++ {
		if time.Now().After(deadline) {
			t.Fatal("no news was lost, and the test is about what then happens")
		}
		name := fmt.Sprintf("br-%012x", i)
		n.add(t, "bridge", name)
		n.remove(t, name)
	}
	n.give(t, "docker0", "172.17.0.1/16")
	until(t, w, "docker0", at("172.17.0.1"))
}

func TestNetlinkThatFailsIsSaid(t *testing.T) {
	none, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = none.Close() })
	w := watch(t, &namespace{file: none})
	until(t, w, "the fault", faulty("the kernel does not tell"))
}
