package identity_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/collectors/identity"
)

// A tree is files by path, in the place of /.
type tree map[string]string

const (
	assetTag   = "sys/devices/virtual/dmi/id/board_asset_tag"
	instanceID = "var/lib/cloud/data/instance-id"
	hostname   = "proc/sys/kernel/hostname"
	bootID     = "proc/sys/kernel/random/boot_id"
	ecsConfig  = "etc/ecs/ecs.config"
	routes4    = "proc/net/route"
	routes6    = "proc/net/ipv6_route"
)

// write makes the tree and returns its root.
func (f tree) write(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range f {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// read is who a host with these files is.
func (f tree) read(t *testing.T, r identity.Reader) identity.Host {
	t.Helper()
	r.Root = f.write(t)
	if r.Interfaces == nil {
		r.Interfaces = func() ([]identity.Interface, error) { return nil, nil }
	}
	h, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTheIDIsTheFirstThatIsFound(t *testing.T) {
	nitro, xen, nowhere := "i-0123456789abcdef0\n", "i-0fedcba9\n", "web-1\n"
	tests := map[string]struct {
		files      tree
		configured string
		id, source string
	}{
		"the configuration wins":           {tree{assetTag: nitro, hostname: nowhere}, "mine", "mine", identity.FromConfig},
		"the firmware's asset tag":         {tree{assetTag: nitro, instanceID: xen, hostname: nowhere}, "", "i-0123456789abcdef0", identity.FromDMI},
		"cloud-init's state":               {tree{instanceID: xen, hostname: nowhere}, "", "i-0fedcba9", identity.FromCloudInit},
		"a vendor's asset tag is no ID":    {tree{assetTag: "To be filled by O.E.M.\n", hostname: nowhere}, "", "web-1", identity.FromHostname},
		"another cloud's instance is none": {tree{instanceID: "iid-datasource-none\n", hostname: nowhere}, "", "web-1", identity.FromHostname},
		"an ID of the wrong length":        {tree{assetTag: "i-0123456789abcdef01\n", instanceID: "i-0123456\n", hostname: nowhere}, "", "web-1", identity.FromHostname},
		"an ID in capitals":                {tree{assetTag: "I-0123456789ABCDEF0\n", hostname: nowhere}, "", "web-1", identity.FromHostname},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := tt.files.read(t, identity.Reader{ID: tt.configured})
			if h.ID != tt.id || h.Source != tt.source {
				t.Errorf("got %q from %s, want %q from %s", h.ID, h.Source, tt.id, tt.source)
			}
		})
	}
}

func TestAHostWithoutAnyIDIsAnError(t *testing.T) {
	for _, files := range []tree{{}, {hostname: "(none)\n"}} {
		h, err := identity.Reader{Root: files.write(t)}.Read()
		if err == nil {
			t.Errorf("got %+v, want an error", h)
		}
	}
}

func TestTheClusterIsWhereTheECSAgentRegisters(t *testing.T) {
	tests := map[string]struct{ config, configured, want string }{
		"no file":           {"", "", "default"},
		"the file's":        {"ECS_CLUSTER=prod\n", "", "prod"},
		"the configuration": {"ECS_CLUSTER=prod\n", "mine", "mine"},
		"empty":             {"ECS_CLUSTER=\n", "", "default"},
		"an ARN":            {"ECS_CLUSTER=arn:aws:ecs:eu-west-1:1:cluster/prod\n", "", "prod"},
		"the last one":      {"ECS_CLUSTER=old\nECS_CLUSTER=prod\n", "", "prod"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			files := tree{hostname: "web-1", ecsConfig: tt.config}
			if h := files.read(t, identity.Reader{Cluster: tt.configured}); h.Cluster != tt.want {
				t.Errorf("got %q, want %q", h.Cluster, tt.want)
			}
		})
	}
}

func TestReservedMemoryIsThatOfTheECSAgent(t *testing.T) {
	for text, want := range map[string]int64{"512": 512, "\"512\"": 512, "-1": 0, "all": 0, "": 0, "99999999999999999999": 0} {
		files := tree{hostname: "web-1", ecsConfig: "ECS_RESERVED_MEMORY=" + text}
		if h := files.read(t, identity.Reader{}); h.ReservedMemory != want {
			t.Errorf("%s: got %d, want %d", text, h.ReservedMemory, want)
		}
	}
}

func TestTheBootIsTheKernels(t *testing.T) {
	files := tree{hostname: "web-1", bootID: "3c9d3a2e-0b5e-4c8e-9d0e-0f6f1f9b3a11\n"}
	if h := files.read(t, identity.Reader{}); h.Boot != "3c9d3a2e-0b5e-4c8e-9d0e-0f6f1f9b3a11" {
		t.Errorf("got %q", h.Boot)
	}
}

func TestNoSecretIsInAHost(t *testing.T) {
	files := tree{hostname: "web-1", ecsConfig: "ECS_CLUSTER=prod\nECS_ENGINE_AUTH_DATA={\"https://r\":{\"password\":\"hunter2\"}}\n"}
	h := files.read(t, identity.Reader{})
	if strings.Contains(cmp.Diff(identity.Host{}, h, cmpopts.EquateComparable(netip.Addr{})), "hunter2") || h.Cluster != "prod" {
		t.Errorf("got %+v", h)
	}
}

func TestThisMachineHasAnIdentity(t *testing.T) {
	h, err := identity.Reader{}.Read()
	if err != nil {
		t.Fatal(err)
	}
	if h.ID == "" || h.Boot == "" || h.Address.IsLoopback() || h.Address.IsUnspecified() {
		t.Errorf("got %+v", h)
	}
}
