package jmxmp_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/jmxmp"
)

const task = "arn:aws:ecs:eu-west-1:1:task/prod/3f2a"

// part is a running container of the task.
func part(digit, name, network string) inventory.Container {
	c := running(digit, "orders", noon, 5555, 1)
	c.ECS, c.Task, c.Name, c.NetworkMode, c.Ports = true, task, name, network, nil
	return c
}

// urls are the JMX URLs of containers.
func urls(at jmxmp.Host, all ...inventory.Container) map[inventory.ID]string {
	found := map[inventory.ID]string{}
	for _, m := range jmxmp.Mappings(all, at, 5555) {
		found[m.ID] = m.URL
	}
	return found
}

func TestAPauseContainersPortsAreThoseOfWhomItServes(t *testing.T) {
	held := []inventory.Port{{Container: 5555, Protocol: "tcp", HostAddr: all, Host: 32801}}
	for name, tt := range map[string]struct{ network, pause string }{
		"by the ID of its network": {"container:" + string(id("f")), "~internal~ecs~pause-other"},
		"by its name":              {"bridge", "~internal~ecs~pause-app"},
	} {
		t.Run(name, func(t *testing.T) {
			app, pause := part("a", "app", tt.network), part("f", tt.pause, "bridge")
			pause.Ports, pause.Started = held, noon.Add(-time.Second)
			got := jmxmp.Mappings([]inventory.Container{app, pause}, host, 5555)
			if len(got) != 1 || got[0].ID != app.ID || got[0].HostPort != 32801 || got[0].Container != "app" || got[0].Instance != 1 || got[0].URL == "" {
				t.Errorf("got %+v, want the pause container's port as the app's", got)
			}
			app.State = inventory.Exited
			if got := jmxmp.Mappings([]inventory.Container{app, pause}, host, 5555); len(got) != 0 {
				t.Errorf("once the app has ended: %+v", got)
			}
		})
	}
}

func TestAnotherTasksPauseContainerServesNobodyHere(t *testing.T) {
	app, pause := part("a", "app", "bridge"), part("f", "~internal~ecs~pause-app", "bridge")
	pause.Task, pause.Ports = task+"b", []inventory.Port{{Container: 5555, Protocol: "tcp", HostAddr: all, Host: 32801}}
	if got := urls(host, app, pause); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestATaskWithAnInterfaceOfItsOwnIsReachedThere(t *testing.T) {
	app, pause := part("a", "app", "container:"+string(id("f"))), part("f", "~internal~ecs~pause", "none")
	app.Declared = []inventory.Port{{Container: 5555, Protocol: "tcp"}}
	at := host
	got := jmxmp.Mappings([]inventory.Container{app, pause}, at, 5555)
	if len(got) != 1 || got[0].URL != "" || got[0].Addr.IsValid() || got[0].Local {
		t.Errorf("before its address is known: %+v, want a mapping without a URL", got)
	}
	at.Tasks = map[string]netip.Addr{task: netip.MustParseAddr("10.9.8.7")}
	if got := urls(at, app, pause); got[app.ID] != "service:jmx:jmxmp://10.9.8.7:5555" {
		t.Errorf("got %v, want the interface's address and the container's port", got)
	}
}

func TestInTheHostsNetworkADeclaredPortIsTheHosts(t *testing.T) {
	c := part("a", "app", "host")
	c.Task, c.ECS, c.Declared = "", false, []inventory.Port{{Container: 5555, Protocol: "tcp"}, {Container: 80, Protocol: "tcp", Host: 80}}
	if got := urls(host, c); got[c.ID] != "" && len(got) != 1 {
		t.Errorf("got %v", got)
	}
	got := jmxmp.Mappings([]inventory.Container{c}, host, 5555)
	if len(got) != 2 || got[0].URL != "service:jmx:jmxmp://10.1.2.3:5555" || got[1].HostPort != 80 || got[1].Addr != host.Address {
		t.Errorf("got %+v, want both ports at the host's address", got)
	}
}
