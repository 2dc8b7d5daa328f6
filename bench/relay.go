package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/berth-dev/berth/bench/relay"
)

// relays sets our relay beside others. The tables go into the folder of this
// program.
func relays(ctx context.Context, j *job, p plan, r *report) {
	rig, err := relay.Build(ctx, j.TempDir())
	j.must(err)
	j.Cleanup(func() {
		if err := rig.Close(); err != nil {
			j.Error(err)
		}
	})
	loads := list(p.loads)
	if len(loads) == 0 || slices.Contains(loads, "idle") {
		still(ctx, j, r, rig, min(p.idle, 10*time.Second))
	}
	if len(loads) == 0 || slices.Contains(loads, "lines") {
		tiny(ctx, j, r)
	}
	if len(loads) == 0 || slices.Contains(loads, "outage") {
		outage(ctx, j, r, rig)
	}
	results, err := rig.Measure(ctx, relay.Plan{
		Rounds: p.rounds, Span: p.span, Variants: list(p.variants), Loads: loads, Profiles: p.profiles, Progress: os.Stderr,
	})
	j.must(err)
	if len(results.All) == 0 {
		return
	}
	beside(r, results)
	j.must(results.Table(os.Stderr))
	if p.variants != "" || p.loads != "" {
		return // a part is no table to keep
	}
	tables, err := os.Create(filepath.Join("bench", "relay.txt"))
	j.must(err)
	j.must(results.Table(tables))
	j.must(tables.Close())
}
