package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/berth-dev/berth/bench/relay"
)

// relays sets our relay beside others. The tables go into the folder of this
// program.
func relays(ctx context.Context, j *job, p plan, _ *report) {
	rig, err := relay.Build(ctx, j.TempDir())
	j.must(err)
	j.Cleanup(func() {
		if err := rig.Close(); err != nil {
			j.Error(err)
		}
	})
	results, err := rig.Measure(ctx, relay.Plan{
		Rounds: p.rounds, Span: p.span, Variants: list(p.variants), Loads: list(p.loads), Profiles: p.profiles, Progress: os.Stderr,
	})
	j.must(err)
	j.must(results.Table(os.Stderr))
	if p.variants != "" || p.loads != "" {
		return // a part is no table to keep
	}
	tables, err := os.Create(filepath.Join("bench", "relay.txt"))
	j.must(err)
	j.must(results.Table(tables))
	j.must(tables.Close())
}
