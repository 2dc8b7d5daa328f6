package logs_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/ledger"
	"github.com/berth-dev/berth/janitor/logs"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	policy = logs.Policy{Grace: time.Hour, UnknownGrace: 24 * time.Hour}
)

// ago is so many hours before noon.
func ago(hours float64) time.Time { return noon.Add(-time.Duration(hours * float64(time.Hour))) }

// A folderCase is what is known of one folder. What is left out is unremarkable.
type folderCase struct {
	name      string    // else that of container n
	service   string    // else orders
	born      time.Time // else two days ago
	changed   time.Time // else when it was born
	written   time.Time // else five hours ago
	listed    inventory.State
	process   bool
	entry     *ledger.Entry // ID is filled in; nil: never seen
	hold      time.Time
	open      string
	err       error
	truncated bool
	unlooked  bool
}

func gone(hours float64) *ledger.Entry {
	return &ledger.Entry{Seen: ago(30), Event: ago(hours), Gone: ago(hours), How: ledger.Removed}
}

func facts(cases []folderCase) logs.Facts {
	f := logs.Facts{Processes: map[inventory.ID]int{}, Measured: map[string]logs.Measured{}}
	entries, holds := map[inventory.ID]ledger.Entry{}, map[string]time.Time{}
	for n, c := range cases {
		folder := folderOf(n+1, c)
		f.Folders = append(f.Folders, folder)
		if c.listed != "" {
			f.Listed = append(f.Listed, inventory.Container{ID: id(n + 1), State: c.listed})
		}
		if c.process {
			f.Processes[id(n+1)] = 4711
		}
		if c.entry != nil {
			c.entry.ID = id(n + 1)
			entries[c.entry.ID] = *c.entry
		}
		if !c.hold.IsZero() {
			holds[folder.Path()] = c.hold
		}
		if !c.unlooked {
			written := c.written
			if written.IsZero() {
				written = ago(5)
			}
			f.Measured[folder.Path()] = logs.Measured{
				Usage: beneath.Usage{Bytes: 4096, Files: 2, Written: written, Truncated: c.truncated}, Open: c.open, Err: c.err,
			}
		}
	}
	f.Ledger = ledger.NewView(entries, holds)
	return f
}

func folderOf(n int, c folderCase) logs.Folder {
	if c.name == "" {
		c.name = id(n).Short()
	}
	if c.service == "" {
		c.service = "orders"
	}
	if c.born.IsZero() {
		c.born = ago(48)
	}
	if c.changed.IsZero() {
		c.changed = c.born
	}
	return logs.Folder{
		Root: "/var/log/apps", Rel: c.service + "/containers/" + c.name, Service: c.service, Name: c.name,
		Identity: beneath.Identity{Ino: uint64(100 + n), Born: c.born}, Changed: c.changed,
	}
}

var errMountInside = fmt.Errorf(`in "deep": %w`, beneath.ErrMount)

// The golden files are plans that an operator could be shown.
func TestPlans(t *testing.T) {
	tests := map[string]struct {
		cases []folderCase
		blind string
	}{
		"who exists keeps the folder": {cases: []folderCase{
			{listed: inventory.Created},
			{listed: inventory.Running},
			{listed: inventory.Paused},
			{listed: inventory.Restarting},
			{listed: inventory.Removing},
			{listed: inventory.Exited},
			{listed: inventory.Dead},
			{listed: inventory.Exited, entry: gone(40)},
			{process: true, entry: gone(40)},
			{name: string(id(10)), process: true},
		}},
		"gone goes after the grace": {cases: []folderCase{
			{entry: gone(2)},
			{entry: gone(1)},
			{entry: gone(0.99)},
			{entry: gone(2), name: string(id(4))},
			{entry: &ledger.Entry{Seen: ago(30), Missing: ago(3), Gone: ago(3), How: ledger.Vanished}},
			{entry: &ledger.Entry{Seen: ago(30), Missing: ago(3)}},
			{entry: &ledger.Entry{Seen: ago(30)}},
		}},
		"never seen waits for longer": {cases: []folderCase{
			{},
			{born: ago(24), written: ago(30)},
			{born: ago(23.9), written: ago(30)},
			{changed: ago(1), written: ago(30)},
			{written: ago(23)},
			{written: ago(25)},
		}},
		"quiet or kept": {cases: []folderCase{
			{entry: gone(2), written: ago(0.5)},
			{entry: gone(2), written: ago(1)},
			{entry: gone(2), open: `process 9 ("app")`},
			{entry: gone(2), err: errMountInside},
			{entry: gone(2), err: errors.New("input/output error")},
			{entry: gone(2), unlooked: true},
			{entry: gone(2), truncated: true},
			{entry: gone(2), hold: noon.Add(time.Hour)},
			{entry: gone(2), hold: noon},
		}},
		"hostile names are quoted": {cases: []folderCase{
			{entry: gone(2), service: "a\nremove \"/etc\""}, {entry: gone(2), service: "\x1b[2J"},
		}},
		"blind removes nothing": {blind: "Docker cannot be asked: 500", cases: []folderCase{
			{entry: gone(2)}, {}, {listed: inventory.Running},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := facts(tt.cases)
			f.Blind = tt.blind
			plan := logs.MakePlan(f, policy, noon)
			golden(t, plan.Text()+"hash "+plan.Hash()+"\n")
			if tt.blind != "" && len(plan.Removals()) > 0 {
				t.Error("a blind plan removes something")
			}
		})
	}
}

// J6: the same facts give the same bytes, in whatever order they were found.
func TestJ6APlanDoesNotDependOnTheOrderOfItsFacts(t *testing.T) {
	f := facts([]folderCase{{entry: gone(2)}, {entry: gone(3)}, {}, {listed: inventory.Running}, {process: true}, {entry: gone(0.5)}})
	want := logs.MakePlan(f, policy, noon)
	slices.Reverse(f.Folders)
	slices.Reverse(f.Listed)
	got := logs.MakePlan(f, policy, noon)
	if diff := cmp.Diff(want.Text(), got.Text()); diff != "" {
		t.Error(diff)
	}
}

// A name of 12 digits may be that of several containers. It is free only when
// all of them are gone.
func TestANameOfTwelveDigitsIsThatOfAllItsContainers(t *testing.T) {
	a, b := inventory.ID("abcabcabcabc"+strings.Repeat("0", 52)), inventory.ID("abcabcabcabc"+strings.Repeat("1", 52))
	f := facts([]folderCase{{name: "abcabcabcabc"}})
	dead := ledger.Entry{Gone: ago(9), How: ledger.Removed}
	for name, tt := range map[string]struct {
		second ledger.Entry
		want   string
	}{
		"both gone":     {ledger.Entry{Gone: ago(5), How: ledger.Removed}, logs.CodeGone},
		"one of late":   {ledger.Entry{Gone: ago(0.1), How: ledger.Removed}, logs.CodeGrace},
		"one not known": {ledger.Entry{Missing: ago(0.1)}, logs.CodeMissing},
	} {
		first, second := dead, tt.second
		first.ID, second.ID = a, b
		f.Ledger = ledger.NewView(map[inventory.ID]ledger.Entry{a: first, b: second}, nil)
		if got := logs.MakePlan(f, policy, noon).Decisions[0]; got.Code != tt.want {
			t.Errorf("%s: %s (%s), want %s", name, got.Code, got.Reason, tt.want)
		}
	}
}

func golden(t *testing.T, got string) {
	t.Helper()
	path := filepath.Join("testdata", strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
