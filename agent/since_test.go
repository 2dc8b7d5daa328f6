package agent

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/ledger"
)

// A container that a listing lacks, and whose destroy event was still on its way
// when the process ended, must not stay unexplained.
func TestEventsBehindAListingAreHeardAfterARestart(t *testing.T) {
	l, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	a := &Agent{ledger: l}
	if since := a.since(); !since.IsZero() {
		t.Errorf("with nothing known, events are wanted since %v", since)
	}
	listed := time.Now()
	l.Listed(inventory.Listing{Taken: listed, Engine: inventory.Engine{RootDir: "/var/lib/docker"}})
	if since := a.since(); !since.Equal(listed.Add(-overlap)) {
		t.Errorf("after a start events are wanted since %v, want %v before the listing", since, overlap)
	}
}
