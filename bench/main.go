// Bench measures the daemon on a real host with a real Docker Engine and sets
// each figure beside its goal.
//
//	go run ./bench                       # as in README.md; about four minutes
//	go run ./bench -json > figures.json
//	go run ./bench -containers 20 -starts 10 -idle 5s -folders 200
//
// It needs root and Docker, builds the binary as a release is built, and
// removes whatever it made, on Ctrl-C too. Nothing of an installed Berth is
// touched: the daemon that is measured has a folder of its own.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// A plan is how much is measured.
type plan struct {
	containers int
	starts     int
	folders    int
	idle       time.Duration
	json       bool
}

func main() {
	var p plan
	flag.IntVar(&p.containers, "containers", 200, "containers that wait on the host")
	flag.IntVar(&p.starts, "starts", 100, "container starts whose latency is measured")
	flag.IntVar(&p.folders, "folders", 2000, "log folders of existing containers in the sweep")
	flag.DurationVar(&p.idle, "idle", 30*time.Second, "how long the idle daemon is watched")
	flag.BoolVar(&p.json, "json", false, "print JSON")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := report{Machine: thisMachine(), Plan: fmt.Sprintf("%d containers, %d starts, %d folders, idle for %v", p.containers, p.starts, p.folders, p.idle)}
	if err := run(func(j *job) { measure(ctx, j, p, &r) }); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if p.json {
		_ = json.NewEncoder(os.Stdout).Encode(r)
		return
	}
	r.print(os.Stdout)
}

// measure takes all figures, the ones that need an empty host first.
func measure(ctx context.Context, j *job, p plan, r *report) {
	binary := build(j)
	r.add(figure{"binary size", "MiB", mebi(sizeOf(j, binary)), 20, "stripped, CGO off"})
	h := newHost(ctx, j, binary)
	h.startUp(r)
	h.populate(p.containers)
	d := h.launch()
	defer d.stop()
	d.sees(p.containers)
	d.idle(r, p.idle)
	d.latency(r, p.starts)
	d.sweeps(r, p.folders)
}
