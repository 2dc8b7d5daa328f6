// Fleet runs the publishers of many hosts in one process against one store, and
// sets what a watcher of the cluster sees beside its goals.
//
//	go run ./bench/fleet                      # 1,000 hosts; about seven minutes
//	go run ./bench/fleet -ttl 30s -outage 45s
//
// The publishers are the daemon's own, each with an inventory of 18 containers
// that change once a minute. Between them and the store is a gate that can be
// shut: then calls fail and sessions are lost, as when a server dies. The store
// is the embedded one, which was made for one host and syncs each change, so its
// file is in memory here, and no figure is about a disk, a network or a server. It
// is also what bounds the number of hosts: each change looks through all records.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"
)

// A plan is how much is measured.
type plan struct {
	hosts  int
	ttl    time.Duration
	outage time.Duration
	churn  time.Duration // mean time between two changes of a host
}

// A figure is one measured value beside its goal: the most it should be.
type figure struct {
	name  string
	value float64
	unit  string
	goal  float64
}

func main() {
	var p plan
	flag.IntVar(&p.hosts, "hosts", 1000, "hosts in the cluster")
	flag.DurationVar(&p.ttl, "ttl", 90*time.Second, "life of a record that is not renewed")
	flag.DurationVar(&p.outage, "outage", 2*time.Minute, "how long the store is away")
	flag.DurationVar(&p.churn, "churn", time.Minute, "mean time between two changes of a host")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	folder, err := os.MkdirTemp("/dev/shm", "berth-fleet-")
	if err == nil {
		defer func() { _ = os.RemoveAll(folder) }()
		err = measure(ctx, p, folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// measure takes all figures, one after the other.
func measure(ctx context.Context, p plan, folder string) error {
	f, err := newFleet(ctx, p, folder)
	if err != nil {
		return err
	}
	defer f.close()
	steps := []func(context.Context) ([]figure, error){f.register, f.restarts, f.storm, f.away, f.emptied, f.deaths}
	for _, step := range steps {
		figures, err := step(ctx)
		show(figures)
		if err != nil {
			return err
		}
	}
	return nil
}

func show(all []figure) {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, f := range all {
		goal := "-"
		if f.goal >= 0 {
			goal = fmt.Sprintf("<= %.4g %s", f.goal, f.unit)
		}
		fmt.Fprintf(t, "%s\t%.4g %s\t%s\n", f.name, f.value, f.unit, goal)
	}
	_ = t.Flush()
}
