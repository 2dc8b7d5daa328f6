package logs_test

import (
	"strings"
	"testing"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/logs"
)

func TestPatternsThatCouldMatchAnythingElseAreRefused(t *testing.T) {
	for _, good := range []string{"{service}/containers/{id}", "{service}/{id}", "{id}", "*/{service}/logs/{id}", "fixed/{id}"} {
		p, err := logs.ParsePattern(good)
		if err != nil || p.String() != good {
			t.Errorf("ParsePattern(%q) = %q, %v", good, p, err)
		}
	}
	for bad, word := range map[string]string{
		"": "last part", "{service}": "last part", "{id}/x": "last part", "/{id}": `part 1 is ""`, "a//{id}": `part 2 is ""`,
		"../{id}": `part 1 is ".."`, "./{id}": `part 1 is "."`, "{id}/{id}": "only be the last", "a{id}": "last part",
		"app-{service}/{id}": "neither", "{servce}/{id}": "neither", "a*/{id}": "neither", "{service}/{service}/{id}": "twice",
	} {
		if _, err := logs.ParsePattern(bad); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("ParsePattern(%q) = %v, want it to say %q", bad, err, word)
		}
	}
}

func TestOnlyContainersIDsAreFolderNames(t *testing.T) {
	whole := strings.Repeat("0123456789abcdef", 4)
	for name, want := range map[string]bool{
		whole: true, whole[:12]: true, whole[:11]: false, whole[:13]: false, whole[:63]: false, whole + "0": false,
		"0123456789AB": false, "0123456789a\n": false, "\x1b[2J56789abc": false, "..": false, "": false,
		"0123456789a\xff": false, "０１２３": false,
	} {
		if got := logs.IsFolderName(name); got != want {
			t.Errorf("IsFolderName(%q) = %t", name, got)
		}
	}
}

func FuzzFolderName(f *testing.F) {
	f.Add("0123456789ab")
	f.Fuzz(func(t *testing.T, name string) {
		if logs.IsFolderName(name) && strings.Trim(name, "0123456789abcdef") != "" {
			t.Errorf("%q is taken for an ID", name)
		}
	})
}

func TestTheLogFolderFollowsFromTheMounts(t *testing.T) {
	id := inventory.ID(strings.Repeat("0123456789abcdef", 4))
	const root, short = "/var/log/apps", "0123456789ab"
	tests := map[string]struct{ pattern, source, want string }{
		"the folder of the containers": {"{service}/containers/{id}", "/var/log/apps/orders/containers", "/var/log/apps/orders/containers/" + short},
		"the service's folder":         {"{service}/containers/{id}", "/var/log/apps/web", "/var/log/apps/web/containers/" + short},
		"the root":                     {"{service}/containers/{id}", "/var/log/apps", "/var/log/apps/orders/containers/" + short},
		"the folder itself":            {"{id}", "/var/log/apps/" + short, "/var/log/apps/" + short},
		"below the folder":             {"{id}", "/var/log/apps/" + short + "/deep", ""},
		"another place":                {"{service}/containers/{id}", "/var/log/appsx/orders/containers", ""},
		"another level":                {"{service}/containers/{id}", "/var/log/apps/orders/data", ""},
		"a star above":                 {"*/{service}/{id}", "/var/log/apps", ""},
		"a star that is given":         {"*/{service}/{id}", "/var/log/apps/eu", "/var/log/apps/eu/orders/" + short},
	}
	for name, tt := range tests {
		p, err := logs.ParsePattern(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		mounts := []inventory.Mount{{Source: "/etc/hosts"}, {Source: tt.source}}
		if got := p.FolderFor(root, "orders", mounts, id); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
