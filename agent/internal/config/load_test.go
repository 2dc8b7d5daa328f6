package config_test

import (
	"crypto/sha256"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/agent/internal/config"
)

// diffConfig compares two configurations; an empty list is like none.
func diffConfig(want, got config.Config) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}))
}

func TestNothingGivenIsTheDefault(t *testing.T) {
	for name, text := range map[string]string{
		"an empty file":         "",
		"comments":              "# nothing\n",
		"a document marker":     "---\n",
		"an empty mapping":      "{}\n",
		"sections without keys": "logs:\nrelay: {}\ncluster:\n",
		"a byte order mark":     "\xef\xbb\xbflogs: {}\n",
		"Windows line ends":     "logs:\r\n  grace: 1h\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			l := load(t, config.Sources{File: file(t, text)})
			if diff := diffConfig(config.Default(), l.Config); diff != "" {
				t.Errorf("-default +got:\n%s", diff)
			}
			if l.Digest != sha256.Sum256([]byte(text)) {
				t.Error("the digest is not that of the file")
			}
		})
	}
}

func TestAFileMayBeMissingIfItIsOptional(t *testing.T) {
	l := load(t, config.Sources{File: filepath.Join(t.TempDir(), "none"), Optional: true})
	if l.File != "" || l.Digest != [32]byte{} {
		t.Errorf("got file %q, digest %x; want neither", l.File, l.Digest)
	}
}

func TestFlagsWinOverEnvironmentOverFileOverDefaults(t *testing.T) {
	path := file(t, "logs:\n  grace: 2h\n  undo: 2h\n  splay: 2h\n")
	l := load(t, config.Sources{
		File: path,
		Env:  []string{"BERTH_LOGS_UNDO=3h", "BERTH_LOGS_SPLAY=3h"},
		Set:  []string{"logs.splay=1h", "logs.splay=4h"},
	})
	got := []time.Duration{l.Config.Logs.UnknownGrace, l.Config.Logs.Grace, l.Config.Logs.Undo, l.Config.Logs.Splay}
	if want := []time.Duration{24 * time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for key, want := range map[string]string{
		"logs.unknown_grace": "default", "logs.grace": path + ":2", "logs.undo": "environment BERTH_LOGS_UNDO", "logs.splay": "flag --set",
	} {
		if l.Sources[key] != want {
			t.Errorf("source of %s: got %q, want %q", key, l.Sources[key], want)
		}
	}
}

// everything sets each key to something else than its default.
const everything = `
host: {id: i-0abc, cluster: prod}
docker: {socket: /run/docker.sock, data_root: /mnt/docker, settle: 1m, service_label: app}
ecs: {introspection: "http://127.0.0.1:9", metadata: "http://[::1]:10"}
api: {socket: /tmp/b.sock, group: "", operator_group: wheel}
state_dir: /mnt/berth
logs:
  roots: [{path: /var/log/a}, {path: /var/log/b, pattern: "{id}"}]
  schedule: "*/5 * * * *"
  splay: 0
  grace: 1d12h
  unknown_grace: 0.5d
  undo: 0s
  archive: /mnt/archive
  max_age: 7d
  max_bytes: 20GiB
  max_service_bytes: 512MiB
  rotate_after: 2d
  first_sweep_delay: 0
  sweep_share: 25
  sweep_bytes: off
  sweep_time: 1m
images: {schedule: "0 4 * * *", splay: 1h, min_age: 4d, keep: ["base/*"], keep_newest: 0, dangling: 1h30m}
disk: {high: 90, low: 80, emergency: 99}
containers: {stopped: 7d}
volumes: {anonymous: 30d}
build_cache: {unused: 14d}
relay:
  listen: br0:8126
  upstream: ["udp://127.0.0.1:8125", "unixgram:///var/run/datadog/dsd.socket"]
  fallback: unix:///var/run/datadog/dsd-stream.socket
  origin: off
  client_origin: replace
  hold: 8MiB
  rate: 5000
  contexts: 100
  block: {"*": [debug., test.], orders: [noise]}
  stable_address: 169.254.231.1
  labels: {com.example.team: team}
publish: {store: "etcd://berth:secret@10.0.0.5:2379,10.0.0.6:2379/berth?token=secret", jmxmp_port: 0x15B4, ttl: 30s, withdraw: true}
metrics: {dogstatsd: /var/run/datadog/dsd.socket, prefix: "", tags: ["env:prod"]}
log: {level: debug, format: json}
config: {watch: false}
`

func everythingWant() config.Config {
	return config.Config{
		Host:     config.Host{ID: "i-0abc", Cluster: "prod"},
		Docker:   config.Docker{Socket: "/run/docker.sock", DataRoot: "/mnt/docker", Settle: time.Minute, ServiceLabel: "app"},
		ECS:      config.ECS{Introspection: "http://127.0.0.1:9", Metadata: "http://[::1]:10"},
		API:      config.API{Socket: "/tmp/b.sock", OperatorGroup: "wheel"},
		StateDir: "/mnt/berth",
		Logs: config.Logs{
			Roots:    []config.LogRoot{{Path: "/var/log/a", Pattern: config.DefaultPattern}, {Path: "/var/log/b", Pattern: "{id}"}},
			Schedule: "*/5 * * * *", Grace: 36 * time.Hour, UnknownGrace: 12 * time.Hour, Archive: "/mnt/archive",
			MaxAge: config.Age(7 * 24 * time.Hour), MaxBytes: 20 << 30, MaxServiceBytes: 512 << 20, RotateAfter: config.Age(48 * time.Hour),
			SweepShare: 25, SweepTime: time.Minute,
		},
		Images: config.Images{
			Schedule: "0 4 * * *", Splay: time.Hour, MinAge: 96 * time.Hour, Keep: []string{"base/*"}, Dangling: 90 * time.Minute,
		},
		Disk:       config.Disk{High: 90, Low: 80, Emergency: 99},
		Containers: config.Containers{Stopped: config.Age(7 * 24 * time.Hour)},
		Volumes:    config.Volumes{Anonymous: config.Age(30 * 24 * time.Hour)},
		BuildCache: config.BuildCache{Unused: config.Age(14 * 24 * time.Hour)},
		Relay: config.Relay{
			Listen:   config.Listen{Interface: "br0", Port: 8126},
			Upstream: config.Upstream{"udp://127.0.0.1:8125", "unixgram:///var/run/datadog/dsd.socket"},
			Fallback: "unix:///var/run/datadog/dsd-stream.socket", Origin: "off", ClientOrigin: config.ReplaceOrigin,
			Hold: 8 << 20, Rate: 5000, Contexts: 100, Block: map[string][]string{"*": {"debug.", "test."}, "orders": {"noise"}},
			StableAddress: netip.MustParseAddr("169.254.231.1"), Labels: map[string]string{"com.example.team": "team"},
		},
		Publish: config.Publish{
			Withdraw: true,
			Store:    "etcd://berth:secret@10.0.0.5:2379,10.0.0.6:2379/berth?token=secret", JMXMPPort: 5556, TTL: 30 * time.Second,
		},
		Metrics: config.Metrics{Dogstatsd: "/var/run/datadog/dsd.socket", Tags: []string{"env:prod"}},
		Log:     config.Log{Level: "debug", Format: "json"},
	}
}

func TestEveryKeyCanBeSetInTheFile(t *testing.T) {
	l := load(t, config.Sources{File: file(t, everything)})
	if diff := diffConfig(everythingWant(), l.Config); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for key, source := range l.Sources {
		if source == "default" {
			t.Errorf("%s has no source", key)
		}
	}
}

func TestEveryKeyCanBeSetInTheEnvironmentAndByFlags(t *testing.T) {
	texts := map[string]string{
		"host.id": "i-0abc", "host.cluster": "prod",
		"docker.socket": "/run/docker.sock", "docker.data_root": "/mnt/docker", "docker.settle": "1m", "docker.service_label": "app",
		"api.socket": "/tmp/b.sock", "api.group": "", "api.operator_group": "wheel", "state_dir": "/mnt/berth",
		"logs.roots": "[{path: /var/log/a}, {path: /var/log/b, pattern: '{id}'}]", "logs.schedule": "*/5 * * * *", "logs.splay": "0",
		"logs.grace": "1d12h", "logs.unknown_grace": "0.5d", "logs.undo": "0s", "logs.archive": "/mnt/archive",
		"logs.max_age": "7d", "logs.max_bytes": "20GiB", "logs.max_service_bytes": "536870912B", "logs.rotate_after": "48h",
		"logs.first_sweep_delay": "0", "logs.sweep_share": "25", "logs.sweep_bytes": "off", "logs.sweep_time": "1m",
		"images.schedule": "0 4 * * *", "images.splay": "1h", "images.min_age": "4d", "images.keep": "['base/*']",
		"images.keep_newest": "0", "images.dangling": "1h30m", "disk.high": "90", "disk.low": "80", "disk.emergency": "99",
		"containers.stopped": "7d", "volumes.anonymous": "30d", "build_cache.unused": "14d", "relay.listen": "br0:8126",
		"relay.upstream": "[udp://127.0.0.1:8125, unixgram:///var/run/datadog/dsd.socket]", "relay.origin": "off",
		"relay.fallback": "unix:///var/run/datadog/dsd-stream.socket", "relay.client_origin": "replace", "relay.hold": "8MiB",
		"relay.rate": "5000", "relay.contexts": "100", "relay.block": "{'*': [debug., test.], orders: [noise]}",
		"relay.stable_address": "169.254.231.1", "relay.labels": "{com.example.team: team}",
		"publish.store":      "etcd://berth:secret@10.0.0.5:2379,10.0.0.6:2379/berth?token=secret",
		"publish.jmxmp_port": "5556", "publish.ttl": "30s", "publish.withdraw": "true", "ecs.introspection": "http://127.0.0.1:9", "ecs.metadata": "http://[::1]:10", "metrics.dogstatsd": "/var/run/datadog/dsd.socket",
		"metrics.prefix": "", "metrics.tags": "[env:prod]", "log.level": "debug", "log.format": "json", "config.watch": "false",
	}
	var env, set []string
	for key, text := range texts {
		env = append(env, config.Variable(key)+"="+text)
		set = append(set, key+"="+text)
	}
	for name, s := range map[string]config.Sources{"environment": {Env: env}, "flag": {Set: set}} {
		t.Run(name, func(t *testing.T) {
			l := load(t, s)
			if diff := diffConfig(everythingWant(), l.Config); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			for key, source := range l.Sources {
				if !strings.HasPrefix(source, name) {
					t.Errorf("source of %s: got %q", key, source)
				}
			}
		})
	}
}

func TestNoTwoKeysShareAVariable(t *testing.T) {
	seen := map[string]string{"BERTH_CONFIG": "the command line", "BERTH_SOCKET": "the command line"}
	for key := range load(t, config.Sources{}).Sources {
		v := config.Variable(key)
		if other, taken := seen[v]; taken {
			t.Errorf("%s is the variable of %s and of %s", v, key, other)
		}
		seen[v] = key
	}
}

func TestOneUpstreamNeedsNoList(t *testing.T) {
	want := config.Upstream{"udp://10.0.0.1:8125"}
	for name, s := range map[string]config.Sources{
		"in the file":        {File: file(t, "relay: {upstream: udp://10.0.0.1:8125}\n")},
		"in the environment": {Env: []string{"BERTH_RELAY_UPSTREAM=udp://10.0.0.1:8125"}},
		"by a flag":          {Set: []string{"relay.upstream=udp://10.0.0.1:8125"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := load(t, s).Config.Relay.Upstream; !cmp.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAnEmptyListSwitchesTheSweepOff(t *testing.T) {
	if got := load(t, config.Sources{Set: []string{"logs.roots=[]"}}).Config.Logs.Roots; len(got) != 0 {
		t.Errorf("got %v, want no roots", got)
	}
}

func TestWhatIsShownIsReadBackWithoutItsSecrets(t *testing.T) {
	l := load(t, config.Sources{File: file(t, everything)})
	text := l.Show()
	golden(t, "testdata/show.golden", text)
	if strings.Contains(text, "secret") {
		t.Errorf("a secret is shown:\n%s", text)
	}
	want := everythingWant()
	want.Publish.Store = "etcd://***@10.0.0.5:2379,10.0.0.6:2379/berth?token=***"
	if diff := diffConfig(want, load(t, config.Sources{File: file(t, text)}).Config); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAddressesAndAgesReadTheirOwnTexts(t *testing.T) {
	for _, text := range []string{"off", "docker0:8125", "172.17.0.1:8125", "[fe80::1]:1", "br-4f1c:65535"} {
		var l config.Listen
		if err := l.UnmarshalText([]byte(text)); err != nil || l.String() != text || l.Off() != (text == "off") {
			t.Errorf("%s: got %s, %v", text, l, err)
		}
	}
	for _, text := range []string{"", ":8125", "docker0", "docker0:0", "docker0:65536", "1.2.3.256:1", "a b:1", "much-too-long-a-name:1", "::1:1"} {
		var l config.Listen
		if err := l.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %s", text, l)
		}
	}
	for text, want := range map[string]string{"off": "off", "3d": "72h", "90s": "90s", "90m": "1h30m", "10m": "10m", "1500ms": "1.5s"} {
		var a config.Age
		if err := a.UnmarshalText([]byte(text)); err != nil || a.String() != want {
			t.Errorf("%s: got %s, %v; want %s", text, a, err, want)
		}
	}
	for _, text := range []string{"", "d", "-3d", "3d-1h", "1e3d", "infd", "3d3d", "1h2d", "4000d", "100000h", "0", "5"} {
		var a config.Age
		if err := a.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %s", text, a)
		}
	}
}

func TestMetricsGoWhereTheClientIsTold(t *testing.T) {
	for text, want := range map[string]string{"off": "", "127.0.0.1:8125": "127.0.0.1:8125", "/run/d.sock": "unix:///run/d.sock", "unix:///run/d.sock": "unix:///run/d.sock"} {
		if got := load(t, config.Sources{Set: []string{"metrics.dogstatsd=" + text}}).Config.Metrics.Addr(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
