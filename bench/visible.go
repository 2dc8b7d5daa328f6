package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/etcd"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/storeserver"
)

// watched is how many containers are beside the ones that start.
const watched = 50

// visible measures the time from Docker's own start event to the record that a
// watcher of an etcd has of it: Docker, the daemon, etcd and this program are all
// on this machine.
func visible(ctx context.Context, j *job, p plan, r *report) {
	server := storeserver.Etcd(j, storeserver.Debian)
	h := newHost(ctx, j, builds(j))
	h.ports = []string{"5555"}
	h.more = fmt.Sprintf("publish: {store: %q}\n", "etcd://"+server.Addr())
	h.populate(watched)
	d := h.launch()
	defer d.stop()
	d.sees(watched)
	central, err := etcd.Open("etcd://" + server.Addr())
	j.must(err)
	defer central.Close()
	events, err := central.Watch(ctx, "default", 0)
	j.must(err)
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	docker := d.follow(ctx, &reading, d.engine.Socket(), started)
	d.records(events, func(r store.Record) bool { return len(r.Mappings) >= watched }) // an agent that begins waits a moment
	d.shows(r, p.starts, docker, events)
}

// builds makes the binary and, beside it, the one that it becomes for etcd.
func builds(j *job) string {
	binary := build(j)
	buildAs(j, filepath.Join(filepath.Dir(binary), "berth-etcd"), "-tags=etcd,grpcnotrace")
	return binary
}

// shows starts containers one after the other.
func (d *daemon) shows(r *report, starts int, docker <-chan notice, events <-chan store.Event) {
	var seen []time.Duration
	for range starts {
		d.alive()
		id, err := d.create()
		d.must(err)
		calling := make(chan error, 1)
		go func() { calling <- d.engine.Try("start", id) }()
		at := d.awaits(events, id)
		began, _ := d.startOf(docker, id)
		seen = append(seen, at.Sub(began))
		d.must(<-calling)
		d.must(d.remove(id))
	}
	note := fmt.Sprintf("over %d starts, beside %d containers", starts, watched)
	r.add(figure{"start visible over etcd, p50", "ms", milli(quantile(seen, 0.5)), 0, note})
	r.add(figure{"start visible over etcd, p99", "ms", milli(quantile(seen, 0.99)), 15, note})
	r.add(figure{"start visible over etcd, most", "ms", milli(quantile(seen, 1)), 50, note})
}

// awaits waits for a record with a container, and returns when it came.
func (d *daemon) awaits(events <-chan store.Event, id inventory.ID) time.Time {
	return d.records(events, func(r store.Record) bool {
		return slices.ContainsFunc(r.Mappings, func(m store.Mapping) bool { return strings.HasPrefix(string(id), m.ID) })
	})
}

// records waits for a record, and returns when it came.
func (d *daemon) records(events <-chan store.Event, want func(store.Record) bool) time.Time {
	late := time.After(startLimit)
	for {
		select {
		case e := <-events:
			all := append([]store.Entry{e.Entry}, e.Snapshot.Entries...)
			if slices.ContainsFunc(all, func(e store.Entry) bool { return want(e.Record) }) {
				return time.Now()
			}
		case <-late:
			d.Fatalf("the record does not come within %v\n%s", startLimit, d.log())
		}
	}
}
