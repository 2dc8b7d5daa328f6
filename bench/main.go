// Bench measures the daemon on a real host with a real Docker Engine and sets
// each figure beside its goal.
//
//	go run ./bench                       # as in README.md; about forty minutes
//	go run ./bench -only audit,undo
//	go run ./bench -only relay -loads 20k,100k -variants direct,naive,uds-field
//	go run ./bench -json > figures.json
//	go run ./bench -containers 20 -starts 10 -idle 5s -folders 200
//
// It needs root, iproute2 and iptables for relays, and Docker for the daemon,
// builds the binary as a release is built, and removes whatever it made, on
// Ctrl-C too. Nothing of an installed Berth is touched: the daemon that is
// measured has a folder of its own.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/berth-dev/berth/bench/relay"
)

// A plan is how much is measured.
type plan struct {
	containers int
	starts     int
	folders    int
	idle       time.Duration
	json       bool
	only       string

	// Of the relay's part alone.
	rounds   int
	span     time.Duration
	variants string
	loads    string
	profiles string
}

// A part is some of what is measured, by its name for -only.
type part struct {
	name    string
	measure func(context.Context, *job, plan, *report)
}

// parts are all of them. Those that need no Docker leave nothing of theirs in
// the way of the next.
func parts() []part {
	alone := func(measure func(context.Context, *job, *report)) func(context.Context, *job, plan, *report) {
		return func(ctx context.Context, j *job, _ plan, r *report) { measure(ctx, j, r) }
	}
	return []part{
		{"audit", alone(history)},
		{"undo", alone(undo)},
		{"cpu", alone(purgeCPU)},
		{"disk", alone(purgeTime)},
		{"huge", alone(huge)},
		{"images", alone(imagePlans)},
		{"pulls", alone(pulls)},
		{"relay", relays},
		{"daemon", measure},
		{"visible", visible},
	}
}

// chosen returns the parts that -only names, all without it.
func chosen(only string) ([]part, error) {
	all := parts()
	names := list(only)
	if len(names) == 0 {
		return all, nil
	}
	var some []part
	for _, p := range all {
		if slices.Contains(names, p.name) {
			some = append(some, p)
		}
	}
	if len(some) != len(names) {
		return nil, fmt.Errorf("-only %s: the parts are audit, undo, cpu, disk, huge, images, pulls, relay, daemon and visible", only)
	}
	return some, nil
}

// list splits what a flag names; empty, it names nothing.
func list(names string) []string {
	if names == "" {
		return nil
	}
	return strings.Split(names, ",")
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		end(runChild(os.Args[2:]))
		return
	}
	if len(os.Args) > 1 && os.Args[1] == relay.ChildArg {
		end(relay.Child(os.Args[2:], os.Stdin, os.Stdout))
		return
	}
	var p plan
	flag.IntVar(&p.containers, "containers", 200, "containers that wait on the host")
	flag.IntVar(&p.starts, "starts", 100, "container starts whose latency is measured")
	flag.IntVar(&p.folders, "folders", 2000, "log folders of existing containers in the sweep")
	flag.DurationVar(&p.idle, "idle", 2*time.Minute, "how long the idle daemon is watched")
	flag.BoolVar(&p.json, "json", false, "print JSON")
	flag.StringVar(&p.only, "only", "", "measure only some parts: audit, undo, cpu, disk, huge, images, pulls, relay, daemon, visible")
	flag.IntVar(&p.rounds, "rounds", 5, "rounds of each relay with each load")
	flag.DurationVar(&p.span, "span", time.Second, "how long each of them takes")
	flag.StringVar(&p.variants, "variants", "", "measure only some relays: direct,naive,...")
	flag.StringVar(&p.profiles, "profiles", "", "write CPU profiles of our relay to this folder")
	flag.StringVar(&p.loads, "loads", "", "measure only some: idle,lines and the loads 20k,100k,1400,64,flood,ladder")
	flag.Parse()
	some, err := chosen(p.only)
	end(err)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := report{Machine: thisMachine(), Plan: fmt.Sprintf("%d containers, %d starts, %d folders, idle for %v", p.containers, p.starts, p.folders, p.idle)}
	for _, part := range some {
		end(run(func(j *job) { part.measure(ctx, j, p, &r) }))
	}
	if p.json {
		_ = json.NewEncoder(os.Stdout).Encode(r)
		return
	}
	r.print(os.Stdout)
}

// end ends the program with an error, if there is one.
func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure takes the daemon's figures, the ones that need an empty host first.
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
