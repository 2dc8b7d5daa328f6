package docker_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
)

// inspected is what Docker answers of a container with these settings.
func inspected(c container.Config, h container.HostConfig) container.InspectResponse {
	return container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{State: &container.State{}, HostConfig: &h}, Config: &c,
	}
}

func TestDeclaredPortsAreThoseToPublishAndTheExposed(t *testing.T) {
	d, err := docker.FromInspect(inspected(
		container.Config{ExposedPorts: nat.PortSet{"5555/tcp": {}, "8080/tcp": {}, "9/udp": {}}},
		container.HostConfig{PortBindings: nat.PortMap{
			"5555/tcp": {{HostPort: "0"}}, "8080/tcp": {{HostIP: "10.1.2.3", HostPort: "80"}, {HostPort: "81"}},
		}}), "")
	if err != nil {
		t.Fatal(err)
	}
	want := []inventory.Port{
		{Container: 9, Protocol: "udp"},
		{Container: 5555, Protocol: "tcp", HostAddr: netip.IPv4Unspecified()},
		{Container: 8080, Protocol: "tcp", HostAddr: netip.MustParseAddr("10.1.2.3"), Host: 80},
		{Container: 8080, Protocol: "tcp", HostAddr: netip.IPv4Unspecified(), Host: 81},
	}
	if diff := cmp.Diff(want, d.Declared, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
}

func TestOfTheEnvironmentOnlyAnIDAndANumberAreRead(t *testing.T) {
	const id = "3f2a9c1e0d4b4c5d8e7f6a5b4c3d2e1f-1234567890"
	tests := map[string]struct {
		env  []string
		id   string
		gpus int
	}{
		"as the ECS agent sets them": {[]string{"ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/" + id, "NVIDIA_VISIBLE_DEVICES=GPU-a,GPU-b"}, id, 2},
		"another server's path":      {[]string{"ECS_CONTAINER_METADATA_URI_V4=http://evil.example/latest/" + id}, "", 0},
		"a path that climbs":         {[]string{"ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/.."}, "", 0},
		"a query":                    {[]string{"ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/a?b=c"}, "", 0},
		"version 3 alone":            {[]string{"ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3/" + id}, "", 0},
		"what images set":            {[]string{"NVIDIA_VISIBLE_DEVICES=all"}, "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := docker.FromInspect(inspected(container.Config{Env: append(tt.env, "PASSWORD=hunter2", "TOKEN")}, container.HostConfig{}), "")
			if err != nil {
				t.Fatal(err)
			}
			if d.Metadata != tt.id || d.Limits.GPUs != tt.gpus {
				t.Errorf("got ID %q and %d GPUs, want %q and %d", d.Metadata, d.Limits.GPUs, tt.id, tt.gpus)
			}
			if text := fmt.Sprintf("%+v", d); strings.Contains(text, "hunter2") {
				t.Errorf("a secret was kept: %s", text)
			}
		})
	}
}

func TestGPUsOfADeviceRequestAreCounted(t *testing.T) {
	requests := []container.DeviceRequest{{Driver: "nvidia", DeviceIDs: []string{"0", "3"}}, {Count: 1}, {Count: -1}, {Driver: "other", Count: 4}}
	d, err := docker.FromInspect(inspected(container.Config{}, container.HostConfig{Resources: container.Resources{DeviceRequests: requests}}), "")
	if err != nil {
		t.Fatal(err)
	}
	if d.Limits.GPUs != 3 {
		t.Errorf("got %d GPUs, want 3: a request for all is for no certain number", d.Limits.GPUs)
	}
}
