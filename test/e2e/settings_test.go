package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// settings are configuration keys, dotted, and their values.
type settings map[string]any

// quick are the settings of a daemon that acts at once and only when told:
// its own schedule never comes, and nothing of the machine's is used.
func quick(dir string) settings {
	return settings{
		"host.id":                "test-host",
		"docker.settle":          "0s",
		"api.socket":             dir + "/berth.sock",
		"api.group":              "",
		"state_dir":              dir + "/state",
		"logs.roots":             roots(dir + "/logs"),
		"logs.schedule":          "0 0 29 2 *",
		"images.schedule":        "0 0 29 2 *",
		"logs.splay":             "0s",
		"logs.grace":             "0s",
		"logs.unknown_grace":     "24h",
		"logs.undo":              "1h",
		"logs.first_sweep_delay": "0s",
		"logs.sweep_share":       100,
		"relay.listen":           "off",
		"ecs.introspection":      "http://127.0.0.1:9", // nobody
		"ecs.metadata":           "http://127.0.0.1:9",
		"metrics.dogstatsd":      "off",
		"log.level":              "debug",
		"log.format":             "text",
	}
}

// roots is the value of logs.roots for these paths.
func roots(paths ...string) []map[string]string {
	list := make([]map[string]string, len(paths))
	for i, p := range paths {
		list[i] = map[string]string{"path": p}
	}
	return list
}

// with returns the settings with others put over them.
func (s settings) with(over settings) settings {
	s = maps.Clone(s)
	maps.Copy(s, over)
	return s
}

// yaml writes the settings as a configuration file. Values are JSON, which
// YAML contains.
func (s settings) yaml(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	last := ""
	for _, key := range slices.Sorted(maps.Keys(s)) {
		value, err := json.Marshal(s[key])
		if err != nil {
			t.Fatal(err)
		}
		section, name, nested := strings.Cut(key, ".")
		if !nested {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
			continue
		}
		if section != last {
			fmt.Fprintf(&b, "%s:\n", section)
			last = section
		}
		fmt.Fprintf(&b, "  %s: %s\n", name, value)
	}
	return b.String()
}
