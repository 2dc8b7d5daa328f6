package docker0_test

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/docker0"
)

func stable(addr string) func(*docker0.Watcher) {
	return func(w *docker0.Watcher) { w.Stable = netip.MustParseAddr(addr) }
}

// inPlace holds once the stable address is there and nothing is wrong with it.
func inPlace(addr string) func(docker0.State) bool {
	return func(s docker0.State) bool { return s.Stable == netip.MustParseAddr(addr) }
}

// host is a namespace with lo and docker0 as Docker leaves them.
func host(t testing.TB) *namespace {
	t.Helper()
	n := newNamespace(t)
	n.up(t, "lo", true)
	n.add(t, "bridge", "docker0")
	n.give(t, "docker0", "172.17.0.1/16")
	return n
}

func TestTheStableAddressIsSetAndComesBack(t *testing.T) {
	for _, addr := range []string{"169.254.231.1", "fd00:be::1"} {
		t.Run(addr, func(t *testing.T) {
			n := host(t)
			w := watch(t, n, stable(addr))
			until(t, w, "the stable address", inPlace(addr))
			bits := "/32"
			if netip.MustParseAddr(addr).Is6() {
				bits = "/128"
			}
			for range 3 {
				_, expired := w.Watch()
				n.take(t, "lo", addr+bits)
				select {
				case <-expired:
				case <-time.After(patience):
					t.Fatal("that the stable address is gone was not seen")
				}
				until(t, w, "the stable address again", inPlace(addr))
			}
		})
	}
}

func TestTheStableAddressOutlivesARestartAndNotItsSetting(t *testing.T) {
	for _, addr := range []string{"169.254.231.1", "fd00:be::1"} {
		t.Run(addr, func(t *testing.T) {
			n := host(t)
			start(t, n, addr, inPlace(addr))()
			if !n.has(t, addr) {
				t.Fatal("the stable address went with its Watcher")
			}
			start(t, n, "169.254.231.7", inPlace("169.254.231.7"))()
			if n.has(t, addr) {
				t.Error("the former stable address is there beside the new one")
			}
			start(t, n, "", at("172.17.0.1"))()
			if n.has(t, "169.254.231.7") {
				t.Error("the stable address is there and the setting is withdrawn")
			}
		})
	}
}

// start runs a Watcher until a state holds, and returns what ends it, as a
// restart would.
func start(t *testing.T, n *namespace, addr string, holds func(docker0.State) bool) (stop func()) {
	t.Helper()
	w := &docker0.Watcher{Interface: "docker0", Namespace: n.file, Log: slog.New(slog.DiscardHandler)}
	if addr != "" {
		stable(addr)(w)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	until(t, w, "the state before the restart", holds)
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// An operator who has set the address keeps it.
func TestAnAddressThatIsNotOursStaysOnLo(t *testing.T) {
	n := host(t)
	n.give(t, "lo", "169.254.231.1/32")
	start(t, n, "169.254.231.1", inPlace("169.254.231.1"))()
	start(t, n, "", at("172.17.0.1"))()
	if !n.has(t, "169.254.231.1") {
		t.Error("an address is gone from lo that was there before")
	}
}

func TestTheStableAddressIsRefused(t *testing.T) {
	tests := map[string]struct {
		addr, words string
		before      func(*testing.T, *namespace)
		after       func(*testing.T, *namespace) // what makes it well again; nil: nothing can
	}{
		"where another interface has it": {
			addr: "169.254.231.1", words: "is an address of eth0",
			before: func(t *testing.T, n *namespace) { n.give(t, "eth0", "169.254.231.1/24") },
			after:  func(t *testing.T, n *namespace) { n.take(t, "eth0", "169.254.231.1/24") },
		},
		"where a route leads to it": {
			addr: "169.254.231.1", words: "has a route of its own by eth0",
			before: func(t *testing.T, n *namespace) {
				n.route(t, unix.RTM_NEWROUTE, netlink.Create, "eth0", "169.254.231.1")
			},
			after: func(t *testing.T, n *namespace) { n.route(t, unix.RTM_DELROUTE, 0, "eth0", "169.254.231.1") },
		},
		"where a container could have it": {
			addr: "172.17.200.1", words: "is in 172.17.0.0/16",
			before: func(*testing.T, *namespace) {},
			after: func(t *testing.T, n *namespace) {
				n.take(t, "docker0", "172.17.0.1/16")
				n.give(t, "docker0", "172.18.0.1/16")
			},
		},
		"where ECS has its credentials": {
			addr: "169.254.170.2", words: "169.254.169.0-169.254.175.255",
			before: func(*testing.T, *namespace) {},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := host(t)
			n.add(t, "bridge", "eth0")
			tt.before(t, n)
			w := watch(t, n, stable(tt.addr))
			s := until(t, w, "the refusal", faulty(tt.words))
			if s.Stable.IsValid() || n.has(t, tt.addr) {
				t.Errorf("%s is set all the same: %+v", tt.addr, s)
			}
			if tt.after != nil {
				tt.after(t, n)
				until(t, w, "the stable address", inPlace(tt.addr))
			}
		})
	}
}

func TestWhichAddressesCanBeStable(t *testing.T) {
	for _, well := range []string{"169.254.231.1", "169.254.168.255", "169.254.176.0", "10.0.0.1", "fd00:be::1"} {
		if err := docker0.CheckStable(netip.MustParseAddr(well)); err != nil {
			t.Errorf("%s %v, want it allowed", well, err)
		}
	}
	for _, ill := range []string{
		"169.254.169.0", "169.254.169.254", "169.254.170.2", "169.254.172.1", "169.254.175.255", "fd00:ec2::254",
		"127.0.0.2", "::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1", "fe80::1%eth0", "::ffff:10.0.0.1", "255.255.255.255",
	} {
		if docker0.CheckStable(netip.MustParseAddr(ill)) == nil {
			t.Errorf("%s is allowed, want it refused", ill)
		}
	}
	if docker0.CheckStable(netip.Addr{}) == nil {
		t.Error("no address is allowed, want it refused")
	}
}
