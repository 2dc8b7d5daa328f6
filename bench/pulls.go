package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/berth-dev/berth/janitor/images/simulate"
)

// pullSeeds is how many made-up hosts are replayed, with the seeds from 1.
const pullSeeds = 5

// pulls replays made-up hosts under several policies. The median over all of
// them and all disk uses is a figure; the tables and the plot of the first go
// into the folder of this program.
func pulls(ctx context.Context, j *job, r *report) {
	beside := map[simulate.Way][]simulate.Saving{}
	tables, err := os.Create(filepath.Join("bench", "pulls.txt"))
	j.must(err)
	defer tables.Close()
	for seed := uint64(1); seed <= pullSeeds && ctx.Err() == nil; seed++ {
		report := simulate.Compare(simulate.Generate(simulate.Workload{Seed: seed}), func(done, all int) {
			fmt.Fprintf(os.Stderr, "\rpulls: seed %d, replay %d of %d ", seed, done, all)
		})
		fmt.Fprintln(os.Stderr)
		_, err := fmt.Fprintf(tables, "seed %d; containers use %.1f GiB on average\n\n", seed, float64(report.InUse)/(1<<30))
		j.must(err)
		j.must(report.Table(tables))
		_, err = io.WriteString(tables, "\n")
		j.must(err)
		if seed == 1 {
			plot, err := os.Create(filepath.Join("bench", "pulls.svg"))
			j.must(err)
			j.must(report.SVG(plot))
			j.must(plot.Close())
		}
		for _, way := range []simulate.Way{simulate.LRU, simulate.Age} {
			beside[way] = append(beside[way], report.Savings(way)...)
		}
	}
	for way, goal := range map[simulate.Way]float64{simulate.LRU: 0.7, simulate.Age: 0.4} {
		all := beside[way]
		r.add(figure{
			"pulling beside " + string(way), "x " + string(way), 1 - middle(all, func(s simulate.Saving) float64 { return s.All }), goal,
			fmt.Sprintf("median of %d disk uses of %d made-up hosts; one who knows the future: %.2f; of the pulls that can be avoided at all: %.2f",
				len(all), pullSeeds, 1-middle(all, func(s simulate.Saving) float64 { return s.Oracle }), 1-middle(all, func(s simulate.Saving) float64 { return s.Avoidable })),
		})
	}
}

func middle(all []simulate.Saving, of func(simulate.Saving) float64) float64 {
	values := make([]float64, len(all))
	for n, s := range all {
		values[n] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
