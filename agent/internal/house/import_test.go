package house_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// arrows says which of our packages each package may import. Arrows point
// down: what runs things knows the duties, no duty knows what runs it, and
// duties do not know each other but for what stands here.
var arrows = map[string][]string{
	"agent/cmd/berth":       {"agent", "agent/internal/cli", "agent/internal/config", "janitor", "janitor/logs"},
	"agent/internal/cli":    {"agent", "agent/api", "agent/internal/config", "bridge/store"},
	"agent":                 {"agent/api", "agent/internal/config", "agent/internal/stats", "collectors/...", "janitor/...", "bridge/..."},
	"agent/api":             {},
	"agent/internal/config": {"janitor", "janitor/logs"},
	"agent/internal/stats":  {},
	"agent/internal/house":  {},

	"collectors/docker":      {"collectors/inventory"},
	"collectors/ecs":         {"collectors/inventory"},
	"collectors/jmxmp":       {"collectors/inventory"},
	"collectors/reservation": {"collectors/inventory"},
	"collectors/process":     {"collectors/inventory"},
	"collectors/disk":        {},
	"collectors/identity":    {},
	"collectors/inventory":   {},

	"janitor":              {},
	"janitor/logs":         {"collectors/inventory", "janitor/archive", "janitor/audit", "janitor/beneath", "janitor/ledger", "janitor/rotate", "janitor/tombstone"},
	"janitor/images":       {"collectors/inventory", "janitor/audit", "janitor/images/usage"},
	"janitor/images/usage": {"collectors/inventory", "janitor/internal/kernel", "janitor/journal"},
	// The planner on trial, with the ledger as it runs in production.
	"janitor/images/simulate": {"collectors/inventory", "janitor/images", "janitor/images/usage"},
	"janitor/archive":         {"janitor/beneath"},
	"janitor/ledger":          {"collectors/inventory", "janitor/internal/kernel", "janitor/journal"},
	"janitor/rotate":          {"janitor/beneath"},
	"janitor/tombstone":       {"janitor/beneath", "janitor/internal/kernel", "janitor/journal"},
	"janitor/audit":           {"janitor/internal/kernel", "janitor/journal"},
	"janitor/beneath":         {"janitor/internal/kernel"},
	"janitor/journal":         {"janitor/internal/kernel"},
	// The system calls that change something: where a test cuts in.
	"janitor/internal/kernel": {},

	// A record is made of what these say: a host, its mappings, its reservation.
	"bridge/publish":         {"bridge/store", "collectors/identity", "collectors/inventory", "collectors/jmxmp", "collectors/reservation"},
	"bridge/docker0":         {},
	"bridge/store":           {},
	"bridge/store/embedded":  {"bridge/store"},
	"bridge/store/etcd":      {"bridge/store", "bridge/store/remote"},
	"bridge/store/dynamodb":  {"bridge/store", "bridge/store/remote"},
	"bridge/store/redis":     {"bridge/store", "bridge/store/remote"},
	"bridge/store/remote":    {"bridge/store"}, // what engines on a server share
	"bridge/store/storetest": {"bridge/store", "test/tcpproxy"},
	"bridge/dogstatsd":       {"bridge/dogstatsd/line", "bridge/dogstatsd/ring", "collectors/inventory"},
	"bridge/dogstatsd/line":  {},
	"bridge/dogstatsd/ring":  {},

	"bridge/dogstatsd/capture": {},

	"bench":             {"agent/api", "bench/relay", "bridge/store", "bridge/store/etcd", "collectors/docker", "collectors/inventory", "janitor/audit", "janitor/beneath", "janitor/images", "janitor/images/simulate", "janitor/images/usage", "janitor/ledger", "janitor/logs", "janitor/tombstone", "test/engine", "test/storeserver"},
	"bench/relay":       {"bridge/dogstatsd", "collectors/inventory"},
	"bench/fleet":       {"bridge/publish", "bridge/store", "bridge/store/embedded", "bridge/store/etcd", "collectors/identity", "collectors/inventory", "test/storeserver"},
	"packaging/release": {},
	"test/adversary":    {},
	"test/dockerproxy":  {"collectors/inventory"},
	"test/dogstatsd":    {},
	"test/e2e":          {},
	"test/engine":       {"collectors/inventory"},
	"test/rig":          {"test/engine"},
	"test/setup":        {},
	"test/storeserver":  {"test/tcpproxy"},
	"test/tcpproxy":     {},
	"test/workload":     {},
}

// testArrows says what the tests of a package may import beside what the
// package itself may, and the helpers for tests.
var testArrows = map[string][]string{
	"agent/internal/house": {"agent/internal/cli"}, // to hold the texts against the commands
	"bridge/publish":       {"bridge/store/embedded"},
	"janitor/images":       {"collectors/docker"}, // the Engine itself, as the daemon meets it
	"janitor/logs":         {"janitor/internal/kernel", "janitor/journal"},
	"janitor/tombstone":    {"janitor/internal/kernel"},
	"test/adversary":       {"collectors/inventory", "janitor/audit", "janitor/ledger", "janitor/logs"},
	"test/rig":             {"agent/api"},
	"test/e2e":             {"agent/api", "collectors/inventory", "janitor/images/usage"}, // to make a host that is old
}

// testHelpers may be imported by every package's tests, and by no daemon.
var testHelpers = []string{"test/...", "bridge/store/storetest"}

// A place is where a library is let in.
type place struct {
	module string
	in     []string // packages
	tests  []string // packages whose tests alone may
}

// libraries has a place for each, so that it can be replaced there.
var libraries = []place{
	{module: "github.com/docker/docker", in: []string{"collectors/docker"}},
	{module: "github.com/docker/go-connections", in: []string{"collectors/docker"}}, // the types of Docker's ports
	{module: "github.com/docker/go-units", in: []string{"agent", "agent/internal/..."}},
	{module: "go.opentelemetry.io", in: []string{"collectors/docker"}}, // Docker's client takes its no-op tracer
	{module: "github.com/robfig/cron/v3", in: []string{"janitor"}},
	{module: "github.com/fsnotify/fsnotify", in: []string{"agent/internal/config", "collectors/docker"}},
	{module: "go.yaml.in/yaml/v4", in: []string{"agent/internal/config"}},
	{module: "github.com/DataDog/datadog-go/v5", in: []string{"agent/internal/stats", "test/workload"}, tests: []string{"bridge/..."}},
	{module: "github.com/spf13/cobra", in: []string{"agent/internal/cli"}},
	{module: "github.com/spf13/pflag", in: []string{"agent/internal/cli"}},
	{module: "github.com/coreos/go-systemd/v22", in: []string{"agent", "agent/api"}},
	{module: "github.com/mdlayher/netlink", in: []string{"bridge/docker0"}},
	{module: "golang.org/x/sys", in: []string{"agent/...", "bench/...", "bridge/...", "collectors/...", "janitor/...", "test/..."}},
	{module: "golang.org/x/sync", in: []string{"agent/...", "bench", "bridge/...", "collectors/...", "janitor/..."}},
	{module: "golang.org/x/term", in: []string{"agent/..."}},
	{module: "google.golang.org/protobuf", in: []string{"bridge/dogstatsd/capture"}},
	{module: "go.etcd.io/etcd", in: []string{"bridge/store/etcd", "bench/fleet"}}, // there: to see the puts that watchers are not told of
	{module: "github.com/redis/go-redis/v9", in: []string{"bridge/store/redis"}},
	{module: "github.com/aws/aws-sdk-go-v2", in: []string{"bridge/store/dynamodb"}},
	{module: "google.golang.org/grpc", in: []string{"bridge/store/etcd"}},         // the pace of its connections
	{module: "go.uber.org/zap", in: []string{"bridge/store/etcd", "bench/fleet"}}, // to keep the client quiet
	{module: "github.com/google/go-cmp", in: []string{"bridge/store/storetest"}, tests: []string{"agent/...", "bridge/...", "collectors/...", "janitor/...", "test/..."}},
	{module: "github.com/santhosh-tekuri/jsonschema/v6", tests: []string{"agent/..."}},
}

// starters says who may start other programs: nobody in the daemon.
var starters = []string{"bench/...", "packaging/release", "test/..."}

func TestArrowsPointDown(t *testing.T) {
	for _, p := range load(t).packages {
		allowed, known := arrows[p.path]
		if !known {
			t.Errorf("%s has no row in arrows (agent/internal/house): add one that says which of our packages it may import", p.path)
			continue
		}
		for _, got := range ours(p.Imports) {
			if !within(got, allowed) {
				t.Errorf("%s imports %s, and its row in arrows does not: meet in agent/ through a small interface, or add the arrow with its reason", p.path, got)
			}
		}
		allowed = slices.Concat(allowed, testArrows[p.path], testHelpers, []string{p.path})
		for _, got := range ours(append(p.TestImports, p.XTestImports...)) {
			if !within(got, allowed) {
				t.Errorf("the tests of %s import %s: use what the package itself may import, or add a row to testArrows", p.path, got)
			}
		}
	}
}

func TestEachRowHasItsPackage(t *testing.T) {
	tr := load(t)
	for _, table := range []map[string][]string{arrows, testArrows} {
		for path := range table {
			if !slices.ContainsFunc(tr.packages, func(p pkg) bool { return p.path == path }) {
				t.Errorf("arrows or testArrows has a row for %s, which is no package: remove the row", path)
			}
		}
	}
}

func TestEachLibraryHasItsPlace(t *testing.T) {
	for _, p := range load(t).packages {
		for _, path := range p.Imports {
			if place, foreign := placeOf(path); foreign && !within(p.path, place.in) {
				t.Errorf("%s imports %s, which has its place in %v: go through that, or change the table libraries", p.path, path, place.in)
			}
		}
		for _, path := range append(p.TestImports, p.XTestImports...) {
			if place, foreign := placeOf(path); foreign && !within(p.path, place.in) && !within(p.path, place.tests) {
				t.Errorf("the tests of %s import %s, which has its place in %v and in tests of %v: use another way, or change the table libraries", p.path, path, place.in, place.tests)
			}
		}
	}
}

// The list is what would be linked, with all that libraries bring along.
func TestTheDaemonStartsNoProgram(t *testing.T) {
	tr := load(t)
	for _, p := range tr.packages {
		if slices.Contains(p.Imports, "os/exec") && !within(p.path, starters) {
			t.Errorf("%s imports os/exec: the daemon starts no program; ask the kernel or Docker instead", p.path)
		}
		if p.Name != "main" || within(p.path, starters) {
			continue
		}
		if slices.Contains(linked(t, tr, p.ImportPath, "etcd,grpcnotrace"), "os/exec") {
			t.Errorf("%s links os/exec by way of a library: find it with go list -deps, and do without", p.path)
		}
	}
}

// linked is what a program consists of, if it is built with these tags.
func linked(t *testing.T, tr tree, path, tags string) []string {
	t.Helper()
	out, err := goCommand(tr.root, "list", "-e", "-deps", "-tags="+tags, path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// Etcd's client is a quarter of the program, and templates double it: for their
// sake the linker keeps every method of every type.
func TestEtcdWeighsOnItsUsersAlone(t *testing.T) {
	const daemon = module + "agent/cmd/berth"
	tr := load(t)
	if slices.Contains(linked(t, tr, daemon, ""), "google.golang.org/grpc") {
		t.Error("berth links grpc: only berth-etcd may")
	}
	full := linked(t, tr, daemon, "etcd,grpcnotrace")
	if !slices.Contains(full, "go.etcd.io/etcd/client/v3") {
		t.Error("berth-etcd does not link etcd's client")
	}
	for _, heavy := range []string{"golang.org/x/net/trace", "html/template"} {
		if slices.Contains(full, heavy) {
			t.Errorf("berth-etcd links %s", heavy)
		}
	}
}

// Each direct requirement has a place, and its reason is written down.
func TestEachLibraryIsArguedFor(t *testing.T) {
	tr := load(t)
	out, err := goCommand(tr.root, "mod", "edit", "-json")
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	architecture := tr.text(t, "ARCHITECTURE.md")
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		if place, _ := placeOf(r.Path); place.module == "" {
			t.Errorf("go.mod requires %s, which has no row in libraries: add one, or drop the requirement", r.Path)
		}
		if name := strings.TrimPrefix(r.Path, "github.com/"); !strings.Contains(architecture, name) {
			t.Errorf("go.mod requires %s, and ARCHITECTURE.md does not name %s: say there why it was chosen", r.Path, name)
		}
	}
}

// placeOf returns where an import path that is not ours and not the standard
// library's has its place.
func placeOf(path string) (p place, foreign bool) {
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") || strings.HasPrefix(path, module) {
		return place{}, false
	}
	for _, l := range libraries {
		if path == l.module || strings.HasPrefix(path, l.module+"/") {
			return l, true
		}
	}
	return place{}, true
}

// ours returns those of the import paths that are in this module, from its
// root.
func ours(imports []string) []string {
	var found []string
	for _, path := range imports {
		if rest, yes := strings.CutPrefix(path, module); yes {
			found = append(found, rest)
		}
	}
	return found
}
