package stats_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berth-dev/berth/agent/internal/stats"
)

var (
	// berth.relay.dropped{$host} by {cause}, with berth. as the prefix.
	queried = regexp.MustCompile(`\bberth\.([a-z_.]+)\{([^}]*)\}(?: by \{([a-z_,]*)\})?(\.as_(?:count|rate)\(\))?`)
	// What a query of Datadog's consists of beside metrics.
	named = regexp.MustCompile(`\bberth\.[a-z_.]+`)
)

// folder is where the dashboards are.
const folder = "../../../packaging/datadog/"

// TestDashboardsAskForWhatIsSent: each metric in them is in the table, with the
// tags they group by and the kind they take it for; and each of the table is
// shown.
func TestDashboardsAskForWhatIsSent(t *testing.T) {
	table := map[string]stats.Metric{}
	for _, m := range stats.Metrics() {
		table[m.Name] = m
	}
	shown := map[string]bool{}
	for file, queries := range map[string][]string{"dashboard.json": dashboard(t), "monitors.json": monitors(t)} {
		if len(queries) == 0 {
			t.Errorf("%s asks for nothing", file)
		}
		for _, query := range queries {
			found := queried.FindAllStringSubmatch(query, -1)
			if len(found) == 0 || len(found) != len(named.FindAllString(query, -1)) {
				t.Errorf("%s: cannot read %s", file, query)
			}
			for _, q := range found {
				m, known := table[q[1]]
				if !known {
					t.Errorf("%s asks for %s, which is not sent: %s", file, q[1], query)
					continue
				}
				shown[m.Name] = shown[m.Name] || file == "dashboard.json"
				check(t, file, m, query, q[2], q[3], q[4])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if !shown[name] {
			t.Errorf("dashboard.json does not show %s", name)
		}
	}
}

func check(t *testing.T, file string, m stats.Metric, query, filter, by, as string) {
	t.Helper()
	tags := append(slices.Clone(m.Tags), "host")
	for tag := range strings.SplitSeq(by, ",") {
		if tag != "" && !slices.Contains(tags, tag) {
			t.Errorf("%s groups %s by %s, and its tags are %v: %s", file, m.Name, tag, tags, query)
		}
	}
	for part := range strings.SplitSeq(filter, ",") {
		if tag, _, ok := strings.Cut(part, ":"); ok && !slices.Contains(tags, tag) {
			t.Errorf("%s filters %s by %s, and its tags are %v: %s", file, m.Name, tag, tags, query)
		}
	}
	if (as != "") != (m.Kind == stats.Count) {
		t.Errorf("%s takes %s for another kind than %s: %s", file, m.Name, m.Kind, query)
	}
}

// widget is as much of one as has a query, or holds others.
type widget struct {
	Definition struct {
		Requests []struct{ Q string }
		Widgets  []widget
	}
}

func dashboard(t *testing.T) (queries []string) {
	t.Helper()
	var board struct{ Widgets []widget }
	read(t, "dashboard.json", &board)
	var walk func([]widget)
	walk = func(all []widget) {
		for _, w := range all {
			for _, r := range w.Definition.Requests {
				queries = append(queries, r.Q)
			}
			walk(w.Definition.Widgets)
		}
	}
	walk(board.Widgets)
	return queries
}

func monitors(t *testing.T) (queries []string) {
	t.Helper()
	var all []struct {
		Name, Type, Query, Message string
		Options                    struct{ Thresholds map[string]float64 }
	}
	read(t, "monitors.json", &all)
	for _, m := range all {
		if m.Name == "" || m.Type != "query alert" || m.Message == "" || len(m.Options.Thresholds) == 0 {
			t.Errorf("monitors.json has one that is not whole: %+v", m)
		}
		queries = append(queries, m.Query)
	}
	return queries
}

func read(t *testing.T, file string, to any) {
	t.Helper()
	text, err := os.ReadFile(folder + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
