package agent

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/bridge/dogstatsd"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/process"
)

// made is when a process was, and began when Docker says that it has started.
var (
	began = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	made  = began.Add(-80 * time.Millisecond)
)

func up(id, mode string, addresses ...string) inventory.Container {
	c := inventory.Container{ID: inventory.ID(id), Service: "orders", Name: "app", State: inventory.Running, PID: 7, Started: began, NetworkMode: mode}
	for _, a := range addresses {
		c.Addresses = append(c.Addresses, netip.MustParseAddr(a))
	}
	return c
}

func TestOriginsAreThoseWithAnAddress(t *testing.T) {
	both := up("a", "bridge", "172.17.0.2", "fd00::2")
	both.Family = "orders:211"
	both.Labels = map[string]string{"com.example.team": "shop,#1\n", "com.example.none": ""}
	late := up("b", "bridge", "172.17.0.3")
	unclear := up("e", "bridge", "172.17.0.4")
	unclear.Started, unclear.PID = time.Time{}, 0
	s := inventory.Snapshot{Containers: []inventory.Container{both, late, up("c", "host"), up("d", "none"), unclear}}
	certain := map[inventory.ID]process.Process{"a": {PID: 7, Started: made, Inode: 4711}, "b": {PID: 6, Started: made, Inode: 4712}}
	labels := map[string]string{"com.example.team": "team", "com.example.none": "none", "com.example.absent": "absent"}
	want := []dogstatsd.Origin{
		{
			ID: "a", Service: "orders", Addresses: both.Addresses, Started: made, PID: 7, Inode: 4711,
			Tags: []string{"service:orders", "container_name:app", "task_family:orders", "task_version:211", "team:shop__1_"},
		},
		// The process that is certain is of the run before.
		{ID: "b", Service: "orders", Addresses: late.Addresses, Started: began, Inode: 4712, Tags: []string{"service:orders", "container_name:app"}},
	}
	if diff := cmp.Diff(want, origins(s, certain, labels), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
}

func TestContainersApartAreCounted(t *testing.T) {
	holder := up(strings.Repeat("1", inventory.IDLen), "none")
	holder.ECS, holder.Name = true, "~internal~ecs~pause"
	plain := up(strings.Repeat("2", inventory.IDLen), "bridge", "172.17.0.2")
	ended := up("e", "host")
	ended.State = inventory.Exited
	s := inventory.Snapshot{Containers: []inventory.Container{
		holder, plain, ended, up("a", "container:"+string(holder.ID)), up("b", "container:"+string(plain.ID)), up("c", "host"),
	}}
	if got, want := apartOf(s), (apart{awsvpc: 1, host: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (apart{}).String(); got != "" {
		t.Errorf("none are %q", got)
	}
}
