package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/ledger"
)

// A container may be absent for a moment before its destroy event comes; then
// the list is short. J2.
func TestAListIsDisbelievedOnceWhoIsMissingShouldHaveBeenExplained(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	id := inventory.ID(fmt.Sprintf("%064x", 1))
	for name, tt := range map[string]struct {
		entry ledger.Entry
		root  string
		says  string // empty: nothing
	}{
		"all are there":       {ledger.Entry{ID: id}, "/var/lib/docker", ""},
		"missing for long":    {ledger.Entry{ID: id, Missing: noon.Add(-lateWord)}, "/var/lib/docker", "1 short"},
		"missing just now":    {ledger.Entry{ID: id, Missing: noon.Add(time.Second - lateWord)}, "/var/lib/docker", ""},
		"removed":             {ledger.Entry{ID: id, Missing: noon.Add(-time.Hour), Event: noon}, "/var/lib/docker", ""},
		"gone":                {ledger.Entry{ID: id, Missing: noon.Add(-time.Hour), Gone: noon}, "/var/lib/docker", ""},
		"another data root":   {ledger.Entry{ID: id}, "/mnt/docker", "/mnt/docker"},
		"no word of the root": {ledger.Entry{ID: id}, "", "data root is "},
	} {
		t.Run(name, func(t *testing.T) {
			known := ledger.NewView(map[inventory.ID]ledger.Entry{id: tt.entry}, nil)
			known.Root = "/var/lib/docker"
			got := disbelief(inventory.Listing{Taken: noon, Engine: inventory.Engine{RootDir: tt.root}}, known)
			if !strings.Contains(got, tt.says) || (got == "") != (tt.says == "") {
				t.Errorf("disbelief says %q, want %q", got, tt.says)
			}
		})
	}
}
