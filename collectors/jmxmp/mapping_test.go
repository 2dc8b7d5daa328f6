package jmxmp_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/jmxmp"
)

var (
	byValue = cmpopts.EquateComparable(netip.Addr{})
	all     = netip.IPv4Unspecified()
	noon    = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	host    = jmxmp.Host{Address: netip.MustParseAddr("10.1.2.3"), Private: []netip.Addr{netip.MustParseAddr("172.17.0.1")}}
)

// id is a whole container ID that begins with a digit.
func id(digit string) inventory.ID { return inventory.ID(strings.Repeat(digit, inventory.IDLen)) }

// running is a container with one port published on all addresses.
func running(digit, service string, started time.Time, port, hostPort uint16) inventory.Container {
	return inventory.Container{
		ID: id(digit), Service: service, Name: "app", State: inventory.Running, Started: started,
		Ports: []inventory.Port{{Container: port, Protocol: "tcp", HostAddr: all, Host: hostPort}},
	}
}

func TestAMappingCarriesAllThatAReaderNeeds(t *testing.T) {
	c := running("a", "orders", noon, 5555, 32801)
	c.Family, c.Task, c.Health = "orders:211", "arn:aws:ecs:eu-west-1:1:task/prod/3f2a", "healthy"
	want := []jmxmp.Mapping{{
		Service: "orders", Instance: 1, Family: "orders:211", Task: c.Task, Container: "app", ID: c.ID,
		Started: noon, Health: "healthy", Port: 5555, Protocol: "tcp", Bound: all, Addr: host.Address, HostPort: 32801,
		Name: "jmxmp", URL: "service:jmx:jmxmp://10.1.2.3:32801",
	}}
	if diff := cmp.Diff(want, jmxmp.Mappings([]inventory.Container{c}, host, 5555), byValue); diff != "" {
		t.Error(diff)
	}
}

func TestAnAddressIsOneThatOthersReach(t *testing.T) {
	tests := map[string]struct {
		bound, host, url string
		local            bool
	}{
		"bound to all":               {"0.0.0.0", "10.1.2.3", "service:jmx:jmxmp://10.1.2.3:9", false},
		"bound to one of the host's": {"10.9.9.9", "10.1.2.3", "service:jmx:jmxmp://10.9.9.9:9", false},
		"bound to loopback":          {"127.0.0.1", "10.1.2.3", "", true},
		"bound to IPv6 loopback":     {"::1", "10.1.2.3", "", true},
		"bound to mapped loopback":   {"::ffff:127.0.0.1", "10.1.2.3", "", true},
		"bound to docker0":           {"172.17.0.1", "10.1.2.3", "", true},
		"bound to link-local":        {"169.254.1.1", "10.1.2.3", "", true},
		"bound to IPv6 link-local":   {"fe80::1", "10.1.2.3", "", true},
		"the host's is not known":    {"0.0.0.0", "", "", false},
		"all of IPv6":                {"::", "2001:db8::7", "service:jmx:jmxmp://[2001:db8::7]:9", false},
		"one of IPv6":                {"2001:db8::8", "10.1.2.3", "service:jmx:jmxmp://[2001:db8::8]:9", false},
		"all of IPv6 alone, but the host is known by IPv4": {"::", "10.1.2.3", "", true},
		"all of IPv4 alone, but the host is known by IPv6": {"0.0.0.0", "2001:db8::7", "", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := running("a", "orders", noon, 5555, 9)
			c.Ports[0].HostAddr = netip.MustParseAddr(tt.bound)
			at := jmxmp.Host{Private: host.Private}
			if tt.host != "" {
				at.Address = netip.MustParseAddr(tt.host)
			}
			got := jmxmp.Mappings([]inventory.Container{c}, at, 5555)
			if len(got) != 1 || got[0].URL != tt.url || got[0].Local != tt.local {
				t.Fatalf("got %+v, want URL %q, local %t", got, tt.url, tt.local)
			}
			if got[0].Addr.IsValid() != (tt.url != "") {
				t.Errorf("address %s beside URL %q", got[0].Addr, tt.url)
			}
		})
	}
}

func TestTheFamilyOfTheHostsAddressIsChosen(t *testing.T) {
	c := running("a", "orders", noon, 5555, 32801)
	c.Ports = append(c.Ports, inventory.Port{Container: 5555, Protocol: "tcp", HostAddr: netip.IPv6Unspecified(), Host: 32802})
	for address, port := range map[string]uint16{"10.1.2.3": 32801, "2001:db8::7": 32802} {
		got := jmxmp.Mappings([]inventory.Container{c}, jmxmp.Host{Address: netip.MustParseAddr(address)}, 5555)
		if len(got) != 1 || got[0].HostPort != port {
			t.Errorf("at %s: got %+v, want one mapping to port %d", address, got, port)
		}
	}
	if got := jmxmp.Mappings([]inventory.Container{c}, jmxmp.Host{}, 5555); len(got) != 2 {
		t.Errorf("at an unknown address: got %d mappings, want both", len(got))
	}
}

func TestJMXMPComesFirstAndIsTCP(t *testing.T) {
	c := running("a", "api", noon, 80, 1)
	c.Ports = append(c.Ports, inventory.Port{Container: 5555, Protocol: "udp", HostAddr: all, Host: 2})
	got := jmxmp.Mappings([]inventory.Container{c, running("b", "orders", noon, 5555, 3)}, host, 0)
	var order []uint16
	for _, m := range got {
		order = append(order, m.HostPort)
	}
	if diff := cmp.Diff([]uint16{3, 1, 2}, order); diff != "" {
		t.Error(diff)
	}
	if got[0].Name != jmxmp.Name || got[1].Name != "" || got[2].Name != "" || got[2].URL != "" {
		t.Errorf("got %+v, want JMXMP for the first alone", got)
	}
}

func TestInstancesAreNumberedByAge(t *testing.T) {
	late, early, tied := running("a", "orders", noon.Add(time.Second), 5555, 1), running("b", "orders", noon, 5555, 2), running("c", "orders", noon, 5555, 3)
	fresh := running("0", "orders", time.Time{}, 5555, 4) // not inspected yet
	other := running("d", "billing", noon, 5555, 5)
	want := map[inventory.ID]int{early.ID: 1, tied.ID: 2, late.ID: 3, fresh.ID: 4, other.ID: 1}
	got := map[inventory.ID]int{}
	for _, m := range jmxmp.Mappings([]inventory.Container{fresh, late, early, tied, other}, host, 5555) {
		got[m.ID] = m.Instance
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestASidecarIsNoInstance(t *testing.T) {
	app, sidecar := running("a", "orders", noon, 5555, 1), running("b", "orders", noon.Add(-time.Minute), 9901, 2)
	app.Task, sidecar.Task, sidecar.Name = "task-1", "task-1", "envoy"
	second := running("c", "orders", noon.Add(-time.Second), 5555, 3)
	second.Task = "task-2"
	want := map[uint16]int{1: 1, 2: 1, 3: 2}
	got := map[uint16]int{}
	for _, m := range jmxmp.Mappings([]inventory.Container{app, sidecar, second}, host, 5555) {
		got[m.HostPort] = m.Instance
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyContainersThatServeAreMapped(t *testing.T) {
	for _, state := range []inventory.State{
		inventory.Created, inventory.Restarting, inventory.Removing, inventory.Exited, inventory.Dead,
	} {
		c := running("a", "orders", noon, 5555, 1)
		c.State = state
		if got := jmxmp.Mappings([]inventory.Container{c}, host, 5555); len(got) != 0 {
			t.Errorf("%s: got %+v, want none", state, got)
		}
	}
	paused := running("a", "orders", noon, 5555, 1)
	paused.State = inventory.Paused
	if got := jmxmp.Mappings([]inventory.Container{paused}, host, 5555); len(got) != 1 || !got[0].Paused {
		t.Errorf("paused: got %+v, want it kept and marked", got)
	}
	holder := running("b", "orders", noon.Add(-time.Second), 5555, 2)
	holder.ECS, holder.Name = true, "~internal~ecs~pause-app"
	got := jmxmp.Mappings([]inventory.Container{holder, running("a", "orders", noon, 5555, 1)}, host, 5555)
	if len(got) != 1 || got[0].ID != id("a") || got[0].Instance != 1 {
		t.Errorf("beside a pause container: got %+v, want the app as instance 1", got)
	}
}
