// Fleet runs the publishers of many hosts in one process against one store, and
// sets what a watcher of the cluster sees beside its goals.
//
//	go run ./bench/fleet                      # 1,000 hosts, the embedded store; about eight minutes
//	go run ./bench/fleet -ttl 30s -outage 45s
//	go run ./bench/fleet -store etcd -hosts 10000
//
// The publishers are the daemon's own, each with an inventory of 18 containers
// that change once a minute.
//
// With -store embedded a gate is between them and the store: shut, calls fail
// and sessions are lost, as when a server dies. That store was made for one host
// and syncs each change, so its file is in memory here, and no figure is about a
// disk, a network or a server. It is also what bounds the number of hosts: each
// change looks through all records.
//
// With -store etcd it is Debian's etcd, or the current one, on loopback with its
// data in memory, and dies by SIGKILL. The hosts share a few connections, where a
// real one has its own. How many calls reached it is what it counts itself.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/berth-dev/berth/test/storeserver"
)

// A plan is how much is measured.
type plan struct {
	store   string
	build   string
	clients int
	hosts   int
	ttl     time.Duration
	outage  time.Duration
	churn   time.Duration // mean time between two changes of a host
	watched time.Duration
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
	flag.StringVar(&p.store, "store", "embedded", "embedded or etcd")
	flag.StringVar(&p.build, "etcd", string(storeserver.Debian), "which etcd: debian or current")
	flag.IntVar(&p.clients, "clients", 64, "connections to etcd that the hosts share")
	flag.IntVar(&p.hosts, "hosts", 1000, "hosts in the cluster")
	flag.DurationVar(&p.ttl, "ttl", 90*time.Second, "life of a record that is not renewed")
	flag.DurationVar(&p.outage, "outage", 2*time.Minute, "how long the store is away")
	flag.DurationVar(&p.churn, "churn", time.Minute, "mean time between two changes of a host")
	flag.DurationVar(&p.watched, "steady", time.Minute, "how long the steady state is watched")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Printf("%d hosts, TTL %v, a change every %v and host, store %s; %d cores, load %s at the start\n",
		p.hosts, p.ttl, p.churn, p.where(), runtime.NumCPU(), load())
	if err := run(func(j *job) error { return measure(ctx, j, p) }); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// where says what keeps the records.
func (p plan) where() string {
	if p.store == "etcd" {
		return fmt.Sprintf("etcd (%s, over %d connections)", p.build, p.clients)
	}
	return p.store
}

// begin starts what keeps the records.
func (p plan) begin(j *job) (server, error) {
	switch p.store {
	case "etcd":
		return newReal(j, storeserver.Build(p.build), p.clients)
	case "embedded":
		folder, err := os.MkdirTemp("/dev/shm", "berth-fleet-")
		if err != nil {
			return nil, err
		}
		j.Cleanup(func() { _ = os.RemoveAll(folder) })
		return newLocal(folder)
	}
	return nil, fmt.Errorf("-store %s: it is embedded or etcd", p.store)
}

// measure takes all figures, one after the other.
func measure(ctx context.Context, j *job, p plan) error {
	s, err := p.begin(j)
	if err != nil {
		return err
	}
	f, err := newFleet(ctx, p, s)
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
	fmt.Println("load", load(), "at the end")
	return nil
}

func show(all []figure) {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, f := range all {
		goal, ratio := "-", "-"
		if f.goal >= 0 {
			goal = fmt.Sprintf("<= %.4g %s", f.goal, f.unit)
		}
		if f.goal > 0 {
			ratio = fmt.Sprintf("%.2f", f.value/f.goal)
		}
		fmt.Fprintf(t, "%s\t%.4g %s\t%s\t%s\n", f.name, f.value, f.unit, goal, ratio)
	}
	_ = t.Flush()
}

// load is that of the machine, over the last minute.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
