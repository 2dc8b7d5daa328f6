package images_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images"
	"github.com/berth-dev/berth/janitor/images/usage"
)

const day = 24 * time.Hour

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func imageID(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func containerID(n int) inventory.ID { return inventory.ID(fmt.Sprintf("%064x", n)) }

// image is one with tags and a layer of its own of 1,000 bytes.
func image(n int, tags ...string) inventory.Image {
	return inventory.Image{ID: imageID(n), Tags: tags, Size: 1000, Layers: []inventory.Layer{{Chain: fmt.Sprint("chain", n), Size: 1000}}}
}

// A rig is a sweeper over an Engine in memory, with a ledger and an audit on
// disk. All images of the Engine have been there for 30 days, unless a test says
// something else.
type rig struct {
	testing.TB
	engine *memory
	dir    string
	*images.Sweeper
	events []images.Event
}

func newRig(t testing.TB, all ...inventory.Image) *rig {
	t.Helper()
	r := &rig{TB: t, dir: t.TempDir(), engine: &memory{now: noon}}
	r.engine.images = all
	r.open()
	r.Ledger.Listed(all, nil, noon.Add(-30*day))
	t.Cleanup(r.shut)
	return r
}

// open starts the daemon.
func (r *rig) open() {
	r.Helper()
	ledger, err := usage.Open(filepath.Join(r.dir, "images"))
	r.ok(err)
	trail, err := audit.Open(filepath.Join(r.dir, "audit"))
	r.ok(err)
	r.Sweeper = &images.Sweeper{
		Lister: r.engine, Remover: r.engine, Ledger: ledger, Audit: trail, Log: slog.New(slog.DiscardHandler),
		Notify:    func(e images.Event) { r.events = append(r.events, e) },
		Now:       func() time.Time { return r.engine.now },
		Policy:    images.Policy{MinAge: 7 * day, Dangling: day},
		Wait:      time.Nanosecond,
		Creations: func() uint64 { return r.engine.creations },
	}
}

func (r *rig) shut() {
	_ = r.Ledger.Close()
	_ = r.Audit.Close()
}

// again is the daemon after it was killed.
func (r *rig) again() {
	r.Helper()
	r.shut()
	r.engine.dead = false
	r.open()
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// sweep sweeps, and fails the test if that returns an error.
func (r *rig) sweep(o images.Options) images.Report {
	r.Helper()
	report, err := r.Sweep(r.Context(), o)
	r.ok(err)
	return report
}

// wantNames checks the names of every image that the Engine has, by number.
func (r *rig) wantNames(want map[int][]string) {
	r.Helper()
	for n, names := range want {
		i := r.engine.image(imageID(n))
		switch {
		case i == nil:
			r.Errorf("image %d is gone, want it with the names %q", n, names)
		case !slices.Equal(slices.Sorted(slices.Values(i.Names())), slices.Sorted(slices.Values(names))):
			r.Errorf("image %d has the names %q, want %q", n, i.Names(), names)
		}
	}
	if len(r.engine.images) != len(want) {
		r.Errorf("the Engine has %d images, want %d", len(r.engine.images), len(want))
	}
}

// wantAudit checks how many records of each action the audit has.
func (r *rig) wantAudit(want map[string]int) {
	r.Helper()
	for action, n := range want {
		if got := len(r.records(action)); got != n {
			r.Errorf("the audit has %d records %q, want %d", got, action, n)
		}
	}
}

func (r *rig) records(action string) []audit.Record {
	r.Helper()
	var found []audit.Record
	all, err := r.Audit.Find("", 100_000)
	r.ok(err)
	for _, record := range all {
		if record.Action == action {
			found = append(found, record)
		}
	}
	return found
}

// codes are the codes of outcomes, in their order.
func codes(all []images.Outcome) []string {
	found := make([]string, len(all))
	for n, o := range all {
		found[n] = o.Code
	}
	return found
}

// A hook runs before or after a call to the Engine; what it returns before is
// what the call fails with.
type hook func(ctx context.Context, call string) error
