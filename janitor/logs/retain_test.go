package logs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/logs"
)

// deadFolders are folders of 4096 bytes whose containers went so many hours
// before noon.
func deadFolders(hours ...float64) []folderCase {
	var cases []folderCase
	for _, h := range hours {
		cases = append(cases, folderCase{entry: gone(h)})
	}
	return cases
}

func TestRetentionSendsTheOldestAway(t *testing.T) {
	other := deadFolders(10, 9)
	other[1].service = "billing"
	tests := map[string]struct {
		cases    []folderCase
		policy   logs.Policy
		pressure logs.Pressure
		want     string
	}{
		"nothing is set":                  {cases: deadFolders(9, 8), want: "gone gone"},
		"by age":                          {cases: deadFolders(9, 3), policy: logs.Policy{MaxAge: 8 * time.Hour}, want: "gone retained"},
		"at the very moment":              {cases: deadFolders(8, 8.01, 7.99), policy: logs.Policy{MaxAge: 8 * time.Hour}, want: "gone gone retained"},
		"by the size of the root":         {cases: deadFolders(9, 11, 10), policy: logs.Policy{MaxBytes: 8192}, want: "retained gone retained"},
		"within the size":                 {cases: deadFolders(9, 11, 10), policy: logs.Policy{MaxBytes: 3 * 4096}, want: "retained retained retained"},
		"a size below any folder":         {cases: deadFolders(9, 11), policy: logs.Policy{MaxBytes: 1}, want: "gone gone"},
		"by the size of the service":      {cases: other, policy: logs.Policy{MaxServiceBytes: 4096}, want: "retained retained"},
		"two of one service":              {cases: deadFolders(9, 11), policy: logs.Policy{MaxServiceBytes: 4096}, want: "retained gone"},
		"by age or by size":               {cases: deadFolders(30, 9, 8), policy: logs.Policy{MaxAge: 24 * time.Hour, MaxBytes: 4096}, want: "gone gone retained"},
		"grace comes first":               {cases: deadFolders(0.5, 9), policy: logs.Policy{MaxAge: time.Minute, MaxBytes: 1}, want: "grace gone"},
		"forecast changes nothing":        {cases: deadFolders(9), policy: logs.Policy{MaxAge: 24 * time.Hour}, pressure: logs.Soon, want: "retained"},
		"space that is short is not kept": {cases: deadFolders(9), policy: logs.Policy{MaxAge: 24 * time.Hour}, pressure: logs.High, want: "gone"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.policy.Grace, tt.policy.UnknownGrace = policy.Grace, policy.UnknownGrace
			f := facts(tt.cases)
			f.Pressure = map[string]logs.Pressure{f.Folders[0].Root: tt.pressure}
			byFolder := map[string]string{}
			for _, d := range logs.MakePlan(f, tt.policy, noon).Decisions {
				byFolder[d.Path()] = d.Code
			}
			var got []string
			for _, folder := range f.Folders {
				got = append(got, byFolder[folder.Path()])
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOneSweepRemovesOnlySoMuch(t *testing.T) {
	many := make([]float64, 40)
	for i := range many {
		many[i] = float64(10 + i) // the last is the oldest
	}
	tests := map[string]struct {
		limit    logs.Limit
		pressure logs.Pressure
		want     int
	}{
		"no limit":                    {want: 40},
		"a share":                     {limit: logs.Limit{Share: 75}, want: 30},
		"never fewer than the least":  {limit: logs.Limit{Share: 1}, want: logs.LeastShare},
		"bytes":                       {limit: logs.Limit{Bytes: 3 * 4096}, want: 3},
		"one folder at least":         {limit: logs.Limit{Bytes: 1}, want: 1},
		"the tighter one":             {limit: logs.Limit{Share: 75, Bytes: 2 * 4096}, want: 2},
		"high pressure lifts nothing": {limit: logs.Limit{Share: 1}, pressure: logs.High, want: logs.LeastShare},
		"an emergency lifts all":      {limit: logs.Limit{Share: 1, Bytes: 1}, pressure: logs.Emergency, want: 40},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := facts(deadFolders(many...))
			f.Pressure = map[string]logs.Pressure{f.Folders[0].Root: tt.pressure}
			p := policy
			p.Limit = tt.limit
			plan := logs.MakePlan(f, p, noon)
			removals := plan.Removals()
			if len(removals) != tt.want {
				t.Fatalf("%d folders go, want %d", len(removals), tt.want)
			}
			oldest := map[string]bool{}
			for _, folder := range f.Folders[len(f.Folders)-tt.want:] {
				oldest[folder.Path()] = true
			}
			for _, d := range removals {
				if !oldest[d.Path()] {
					t.Errorf("%s goes before older ones", d.Path())
				}
			}
			for _, d := range plan.Decisions {
				if d.Verdict == logs.Keep && d.Code != logs.CodeLimited {
					t.Errorf("%s: %s: %s", d.Path(), d.Code, d.Reason)
				}
			}
		})
	}
}

// J6: what an operator saw in a plan without limits is what its hash applies.
func TestAnOperatorCanLiftTheLimits(t *testing.T) {
	r := newRig(t)
	for n := range 30 {
		r.dead(n + 1)
	}
	r.sweeper.Policy.Limit = logs.Limit{Share: 10}
	r.later(2 * time.Hour)
	if n := len(r.sweeper.Plan(t.Context()).Removals()); n != logs.LeastShare {
		t.Fatalf("a plan removes %d folders, want %d", n, logs.LeastShare)
	}
	p := r.sweeper.PlanUnlimited(t.Context())
	if n := len(p.Removals()); n != 30 {
		t.Fatalf("a plan without limits removes %d folders, want all", n)
	}
	report, err := r.sweeper.Sweep(t.Context(), logs.Options{Plan: p.Hash(), By: "test"})
	r.must(err)
	if len(report.Removed) != 30 || report.Plan.Hash() != p.Hash() {
		t.Errorf("%d folders went under plan %s, want 30 under %s", len(report.Removed), report.Plan.Hash(), p.Hash())
	}
}

func TestTheFirstScheduledSweepsOnlyPlan(t *testing.T) {
	r := newRig(t)
	folder := r.dead(1)
	r.later(2 * time.Hour)
	r.sweeper.First = 24 * time.Hour
	scheduled := logs.Options{Scheduled: true, By: "schedule"}

	report, err := r.sweeper.Sweep(t.Context(), scheduled)
	r.must(err)
	r.stays(folder, "Berth has just been installed")
	if report.Result() != "planned" || len(report.Removed) != 0 || report.First.IsZero() {
		t.Errorf("result %s, removed %d, first sweep %v", report.Result(), len(report.Removed), report.First)
	}
	found, err := r.audit.Find("", 10)
	r.must(err)
	if last := found[len(found)-1]; last.Action != audit.Planned || !strings.HasPrefix(last.Reason, "1 folders of ") || last.Plan != report.Plan.Hash() {
		t.Errorf("the audit says %+v", last)
	}
	if last := r.events[len(r.events)-1]; last.Type != "logs.planned" || last.Bytes == 0 {
		t.Errorf("event %+v", last)
	}

	r.close() // the delay counts from the first start, not from this one
	r.open()
	r.sweeper.First = 24 * time.Hour
	r.later(22 * time.Hour)
	report, err = r.sweeper.Sweep(t.Context(), scheduled)
	r.must(err)
	if len(report.Removed) != 1 || report.Result() != "ok" {
		t.Errorf("after a day: result %s, removed %d", report.Result(), len(report.Removed))
	}
	r.goes(folder)
}

func TestAnOperatorNeedNotWaitForTheFirstSweep(t *testing.T) {
	r := newRig(t)
	folder := r.dead(1)
	r.later(2 * time.Hour)
	r.sweeper.First = 24 * time.Hour
	r.sweep()
	r.goes(folder)
}

// Under pressure removed folders go before their time, oldest first, and not
// many more of them than are needed.
func TestPressureEndsTheUndoWindowUntilThereIsRoom(t *testing.T) {
	r := newRig(t)
	for n := range 24 {
		r.dead(n + 1)
	}
	r.later(2 * time.Hour)
	if report := r.sweep(); len(report.Removed) != 24 {
		t.Fatalf("%d folders removed", len(report.Removed))
	}
	stones := filepath.Join(r.root, ".berth/tombstones")
	r.sweeper.Pressure = func(string) logs.Pressure {
		left, err := os.ReadDir(stones)
		r.must(err)
		if len(left) > 12 {
			return logs.High
		}
		return logs.NoPressure
	}
	report := r.sweep()
	if left := len(r.sweeper.Yard()); len(report.Purged)+left != 24 || left < 5 || left > 12 {
		t.Errorf("%d folders purged, %d left", len(report.Purged), left)
	}
}

func TestPressureShortensTheUndoWindow(t *testing.T) {
	for pressure, want := range map[logs.Pressure]int{logs.NoPressure: 0, logs.Soon: 0, logs.High: 1, logs.Emergency: 1} {
		t.Run(fmt.Sprint(pressure), func(t *testing.T) {
			r := newRig(t)
			r.dead(1)
			r.later(2 * time.Hour)
			r.sweep()
			r.sweeper.Pressure = func(string) logs.Pressure { return pressure }
			report := r.sweep()
			if len(report.Purged) != want {
				t.Fatalf("%d folders purged at once, want %d", len(report.Purged), want)
			}
			if want == 1 && report.Purged[0].Code != logs.CodePressure {
				t.Errorf("purged for %s", report.Purged[0].Code)
			}
			r.later(16 * time.Minute)
			if report := r.sweep(); pressure == logs.Soon && len(report.Purged) != 1 {
				t.Errorf("%d folders purged after a quarter of the window, want 1", len(report.Purged))
			}
		})
	}
}
