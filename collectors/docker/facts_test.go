package docker_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
)

const (
	ecsFamily  = "com.amazonaws.ecs.task-definition-family"
	composeKey = "com.docker.compose.service"
)

// addresses compare as values.
var byValue = cmpopts.EquateComparable(netip.Addr{})

// facts is what a single list entry becomes.
func facts(t *testing.T, s container.Summary, serviceLabel string) inventory.Container {
	t.Helper()
	if s.ID == "" {
		s.ID = id
	}
	all, err := docker.FromList([]container.Summary{s}, serviceLabel)
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

func TestServiceComesFromTheBestSource(t *testing.T) {
	tests := map[string]struct {
		labels map[string]string
		image  string
		names  []string
		want   string
	}{
		"ecs family before all":          {map[string]string{ecsFamily: "orders", "service": "b", composeKey: "c"}, "d", []string{"/e"}, "orders"},
		"configured label before others": {map[string]string{"service": "orders", composeKey: "c"}, "d", []string{"/e"}, "orders"},
		"compose service before image":   {map[string]string{composeKey: "orders"}, "d", []string{"/e"}, "orders"},
		"image alone":                    {nil, "orders", []string{"/e"}, "orders"},
		"image with tag":                 {nil, "orders:1.2", []string{"/e"}, "orders"},
		"image with registry and port":   {nil, "registry.example:5000/shop/orders:1.2", []string{"/e"}, "orders"},
		"image with digest":              {nil, "shop/orders:1@sha256:" + id, []string{"/e"}, "orders"},
		"registry port without tag":      {nil, "registry.example:5000/orders", []string{"/e"}, "orders"},
		"bare image digest":              {nil, "sha256:" + id, []string{"/orders"}, "orders"},
		"bare image ID":                  {nil, id, []string{"/orders"}, "orders"},
		"nothing but the ID":             {nil, "", nil, id[:12]},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := facts(t, container.Summary{Labels: tt.labels, Image: tt.image, Names: tt.names}, "service")
			if c.Service != tt.want {
				t.Errorf("service %q, want %q", c.Service, tt.want)
			}
		})
	}
}

func TestListTellsTheTaskOfAnECSContainer(t *testing.T) {
	got := facts(t, container.Summary{
		Names: []string{"/ecs-orders-211-app-c0ffee"}, Image: "shop/orders:7", ImageID: "sha256:" + id,
		State: "created", Created: 1_790_000_000,
		Labels: map[string]string{
			ecsFamily: "orders", "com.amazonaws.ecs.task-definition-version": "211",
			"com.amazonaws.ecs.task-arn":       "arn:aws:ecs:eu-west-1:1:task/prod/3f2a",
			"com.amazonaws.ecs.container-name": "app", composeKey: "ignored",
		},
	}, "")
	want := inventory.Container{
		ID: inventory.ID(id), Names: []string{"ecs-orders-211-app-c0ffee"}, Image: "shop/orders:7", ImageID: "sha256:" + id,
		Service: "orders", Family: "orders:211", Task: "arn:aws:ecs:eu-west-1:1:task/prod/3f2a", Name: "app",
		ECS: true, State: inventory.Created, Created: time.Unix(1_790_000_000, 0),
	}
	if diff := cmp.Diff(want, got, byValue); diff != "" {
		t.Error(diff)
	}
}

func TestOwnNameComesBeforeLinks(t *testing.T) {
	c := facts(t, container.Summary{Names: []string{"/web/db", "/orders-db", "/api/db"}}, "")
	if diff := cmp.Diff([]string{"orders-db", "api/db", "web/db"}, c.Names); diff != "" {
		t.Error(diff)
	}
	if c.Name != "orders-db" {
		t.Errorf("name %q, want orders-db", c.Name)
	}
}

func TestPortsAreFoldedAndSorted(t *testing.T) {
	v4, v6, lo := netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("::"), netip.MustParseAddr("127.0.0.1")
	list := []container.Port{
		{IP: "::", PrivatePort: 5555, PublicPort: 32768, Type: "tcp"},
		{IP: "0.0.0.0", PrivatePort: 5555, PublicPort: 32768, Type: "tcp"},
		{PrivatePort: 9999, Type: "tcp"},
		{IP: "0.0.0.0", PrivatePort: 80, PublicPort: 32770, Type: "tcp"},
		{IP: "::", PrivatePort: 80, PublicPort: 32771, Type: "tcp"},
		{IP: "127.0.0.1", PrivatePort: 53, PublicPort: 53, Type: "udp"},
		{IP: "0.0.0.0", PrivatePort: 53, PublicPort: 53, Type: "tcp"},
		{IP: "::", PrivatePort: 70, PublicPort: 70, Type: "tcp"},
		{PrivatePort: 60, PublicPort: 60, Type: "tcp"},
		{IP: "nonsense", PrivatePort: 61, PublicPort: 61, Type: "tcp"},
	}
	want := []inventory.Port{
		{Container: 53, Protocol: "tcp", HostAddr: v4, Host: 53},
		{Container: 53, Protocol: "udp", HostAddr: lo, Host: 53},
		{Container: 60, Protocol: "tcp", HostAddr: v4, Host: 60},
		{Container: 70, Protocol: "tcp", HostAddr: v6, Host: 70},
		{Container: 80, Protocol: "tcp", HostAddr: v4, Host: 32770},
		{Container: 80, Protocol: "tcp", HostAddr: v6, Host: 32771},
		{Container: 5555, Protocol: "tcp", HostAddr: v4, Host: 32768},
	}
	for _, state := range []string{"running", "paused"} {
		if diff := cmp.Diff(want, facts(t, container.Summary{State: state, Ports: list}, "").Ports, byValue); diff != "" {
			t.Errorf("%s: %s", state, diff)
		}
	}
}

func TestOnlyAContainerWithAProcessHasPortsAndAddresses(t *testing.T) {
	for _, state := range []string{"created", "restarting", "removing", "exited", "dead"} {
		c := facts(t, container.Summary{
			State: state,
			Ports: []container.Port{{IP: "0.0.0.0", PrivatePort: 1, PublicPort: 2, Type: "tcp"}},
			NetworkSettings: &container.NetworkSettingsSummary{Networks: map[string]*network.EndpointSettings{
				"bridge": {IPAddress: "172.17.0.2"},
			}},
		}, "")
		if len(c.Ports)+len(c.Addresses) > 0 {
			t.Errorf("%s: ports %v, addresses %v, want none", state, c.Ports, c.Addresses)
		}
	}
}

func TestAddressesOfAllNetworksAreFound(t *testing.T) {
	c := facts(t, container.Summary{
		State: "running",
		NetworkSettings: &container.NetworkSettingsSummary{Networks: map[string]*network.EndpointSettings{
			"bridge": {IPAddress: "172.17.0.2"}, "host": {}, "odd": {IPAddress: "invalid IP"}, "nil": nil,
			"dual": {IPAddress: "10.9.0.4", GlobalIPv6Address: "fd00::4"}, "same": {IPAddress: "10.9.0.4"},
		}},
	}, "")
	want := []netip.Addr{netip.MustParseAddr("10.9.0.4"), netip.MustParseAddr("172.17.0.2"), netip.MustParseAddr("fd00::4")}
	if diff := cmp.Diff(want, c.Addresses, byValue); diff != "" {
		t.Error(diff)
	}
}

func TestHealthIsReadFromTheStatusText(t *testing.T) {
	for status, want := range map[string]string{
		"Up 2 hours (healthy)": "healthy", "Up 1 second (health: starting)": "starting", "Up 3 days (unhealthy)": "unhealthy",
		"Up 2 hours": "", "Up 2 hours (Paused)": "", "Exited (0) 3 minutes ago": "", "Created": "", "": "",
	} {
		if got := facts(t, container.Summary{Status: status}, "").Health; got != want {
			t.Errorf("health of %q is %q, want %q", status, got, want)
		}
	}
}

func TestMountsAreSorted(t *testing.T) {
	c := facts(t, container.Summary{Mounts: []container.MountPoint{
		{Type: mount.TypeVolume, Name: "data", Source: "/var/lib/docker/volumes/data/_data", Destination: "/data"},
		{Type: mount.TypeBind, Source: "/var/log/apps/orders", Destination: "/app/logs", RW: true},
	}}, "")
	want := []inventory.Mount{
		{Type: "bind", Source: "/var/log/apps/orders", Destination: "/app/logs"},
		{Type: "volume", Volume: "data", Source: "/var/lib/docker/volumes/data/_data", Destination: "/data", ReadOnly: true},
	}
	if diff := cmp.Diff(want, c.Mounts); diff != "" {
		t.Error(diff)
	}
}

func TestABadListIsWorthNothing(t *testing.T) {
	for name, list := range map[string][]container.Summary{
		"no list":        nil,
		"short ID":       {{ID: id}, {ID: id[:12]}},
		"upper case":     {{ID: strings.ToUpper(id)}},
		"no ID":          {{}},
		"the same twice": {{ID: id}, {ID: strings.Repeat("a", 64)}, {ID: id}},
	} {
		if _, err := docker.FromList(list, ""); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if all, err := docker.FromList([]container.Summary{}, ""); err != nil || len(all) != 0 {
		t.Errorf("an empty list gives %v, %v", all, err)
	}
}

func TestInspectTellsTimesAndLimits(t *testing.T) {
	started, finished := "2026-05-01T10:00:00.5Z", "2026-05-01T11:00:00Z"
	earlier := "2026-05-01T09:00:00Z"
	tests := map[string]struct {
		state             container.State
		started, finished string
	}{
		"never started":    {container.State{Status: "created", StartedAt: "0001-01-01T00:00:00Z", FinishedAt: "0001-01-01T00:00:00Z"}, "", ""},
		"running":          {container.State{Status: "running", Running: true, StartedAt: started, FinishedAt: "0001-01-01T00:00:00Z"}, started, ""},
		"running again":    {container.State{Status: "running", Running: true, StartedAt: started, FinishedAt: earlier}, started, ""},
		"exited":           {container.State{Status: "exited", StartedAt: started, FinishedAt: finished}, started, finished},
		"restarting":       {container.State{Status: "restarting", Running: true, Restarting: true, StartedAt: started, FinishedAt: finished}, started, finished},
		"end before start": {container.State{Status: "dead", StartedAt: started, FinishedAt: earlier}, started, ""},
		"nonsense":         {container.State{Status: "dead", StartedAt: "yesterday"}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.state.ExitCode = 7
			d, err := docker.FromInspect(container.InspectResponse{
				ContainerJSONBase: &container.ContainerJSONBase{
					ID: id, Name: "/orders", Created: earlier, State: &tt.state,
					HostConfig: &container.HostConfig{Resources: container.Resources{
						CPUShares: 256, Memory: 1 << 28, MemoryReservation: 1 << 27, NanoCPUs: 5e8,
						CPUQuota: 1000, CPUPeriod: 2000, CgroupParent: "/ecs/3f2a",
					}},
				},
				Config: &container.Config{Image: "shop/orders:7"},
			}, "")
			if err != nil {
				t.Fatal(err)
			}
			if !d.Started.Equal(parse(t, tt.started)) || !d.Finished.Equal(parse(t, tt.finished)) || !d.Created.Equal(parse(t, earlier)) {
				t.Errorf("created %v, started %v, finished %v", d.Created, d.Started, d.Finished)
			}
			want := inventory.Limits{
				CPUShares: 256, Memory: 1 << 28, MemoryReservation: 1 << 27, NanoCPUs: 5e8,
				CPUQuota: 1000, CPUPeriod: 2000, CgroupParent: "/ecs/3f2a",
			}
			if diff := cmp.Diff(want, d.Limits); diff != "" {
				t.Error(diff)
			}
			if d.ExitCode != 7 || d.Image != "shop/orders:7" || d.Service != "orders" {
				t.Errorf("exit code %d, image %q, service %q", d.ExitCode, d.Image, d.Service)
			}
		})
	}
	if _, err := docker.FromInspect(container.InspectResponse{}, ""); err == nil {
		t.Error("an empty answer is no error")
	}
}

// parse reads a time; empty is zero.
func parse(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestEventsAreTranslated(t *testing.T) {
	tests := map[events.Action]docker.Event{
		"create":                   {Kind: docker.Created},
		"start":                    {Kind: docker.Started},
		"die":                      {Kind: docker.Died, Detail: "137"},
		"destroy":                  {Kind: docker.Removed},
		"rename":                   {Kind: docker.Renamed, Detail: "before"},
		"pause":                    {Kind: docker.Paused},
		"unpause":                  {Kind: docker.Unpaused},
		"update":                   {Kind: docker.Updated},
		"oom":                      {Kind: docker.OOM},
		"health_status: unhealthy": {Kind: docker.Health, Detail: "unhealthy"},
	}
	for action, want := range tests {
		want.ID, want.Service, want.Name, want.At = inventory.ID(id), "orders", "app", time.Unix(5, 6)
		want.Image = "shop/orders:7"
		h := docker.HintOf(events.Message{
			Type: events.ContainerEventType, Action: action, Time: 5, TimeNano: 5e9 + 6,
			Actor: events.Actor{ID: id, Attributes: map[string]string{
				"image": "shop/orders:7", "name": "app", "exitCode": "137", "oldName": "/before",
			}},
		}, "")
		if diff := cmp.Diff(want, h.Event()); diff != "" {
			t.Errorf("%s: %s", action, diff)
		}
		if h.Container() != id {
			t.Errorf("%s marks %q", action, h.Container())
		}
	}
	h := docker.HintOf(events.Message{
		Type: events.NetworkEventType, Action: "connect", Actor: events.Actor{ID: "net", Attributes: map[string]string{"container": id}},
	}, "")
	for action, want := range map[events.Action]docker.Event{
		"pull":  {Kind: docker.ImagePulled, Image: "shop/orders:7", At: time.Unix(5, 6)},
		"untag": {Kind: docker.ImageChanged, Image: "shop/orders:7", Detail: "untag", At: time.Unix(5, 6)},
	} {
		h := docker.HintOf(events.Message{Type: events.ImageEventType, Action: action, TimeNano: 5e9 + 6, Actor: events.Actor{ID: "shop/orders:7"}}, "")
		if diff := cmp.Diff(want, h.Event()); diff != "" || h.Container() != "" {
			t.Errorf("%s marks %q: %s", action, h.Container(), diff)
		}
	}
	if h.Container() != id || h.Event().Kind != "" {
		t.Errorf("a network event marks %q and tells %q, want the container and nothing", h.Container(), h.Event().Kind)
	}
}

func TestStartOfAProcessIsRead(t *testing.T) {
	rest := ") S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4250 20 21"
	for stat, want := range map[string]time.Duration{
		"9 (dockerd" + rest:       42500 * time.Millisecond,
		"9 (dock) (erd" + rest:    -1,
		"9 (dockerd) S 1 2":       -1,
		"9 dockerd":               -1,
		"":                        -1,
		"9 (dockerd) S" + "x x x": -1,
	} {
		got, ok := docker.ParseStat([]byte(stat), "dockerd")
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q gives %v, want %v", stat, got, want)
		}
	}
}
