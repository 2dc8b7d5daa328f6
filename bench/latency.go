package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// started asks Docker for the starts of containers.
const started = `/events?filters={"type":["container"],"event":["start"]}`

// latency measures the time from Docker's own start event to the container
// being running in the socket's answer about it, which has been read by then.
func (d *daemon) latency(r *report, starts int) {
	ctx, cancel := context.WithCancel(d.ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	docker := d.follow(ctx, &reading, d.engine.Socket(), started)

	var seen, heard []time.Duration
	for range starts {
		d.alive()
		id, err := d.create()
		d.must(err)
		calling := make(chan error, 1)
		go func() { calling <- d.engine.Try("start", id) }()
		began, told := d.startOf(docker, id)
		at := d.await(id)
		seen, heard = append(seen, at.Sub(began)), append(heard, told.Sub(began))
		d.must(<-calling)
		d.must(d.remove(id))
	}
	note := fmt.Sprintf("over %d starts", starts)
	r.add(figure{"start seen, p50", "ms", milli(quantile(seen, 0.5)), 0, note})
	r.add(figure{"start seen, p99", "ms", milli(quantile(seen, 0.99)), 50, note})
	r.add(figure{"Docker's own event heard, p50", "ms", milli(quantile(heard, 0.5)), 0, "by this program, for comparison"})
	r.add(figure{"Docker's own event heard, p99", "ms", milli(quantile(heard, 0.99)), 0, "by this program, for comparison"})
}

// A notice is one line of an event stream and when it came.
type notice struct {
	line []byte
	at   time.Time
}

// follow reads an NDJSON stream until ctx ends.
func (d *daemon) follow(ctx context.Context, reading *sync.WaitGroup, socket, path string) <-chan notice {
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://stream"+path, nil)
	d.must(err)
	resp, err := client.Do(req)
	d.must(err)
	notices := make(chan notice, 1024)
	reading.Go(func() {
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			select {
			case notices <- notice{slices.Clone(lines.Bytes()), time.Now()}:
			case <-ctx.Done():
				return
			}
		}
	})
	return notices
}

// await asks again and again until a container is running, and returns when the
// answer that said so had been read.
func (d *daemon) await(id inventory.ID) time.Time {
	for deadline := time.Now().Add(startLimit); ; time.Sleep(time.Millisecond) {
		if up := d.running(string(id)); up[string(id)] {
			return time.Now()
		}
		d.alive()
		if time.Now().After(deadline) {
			d.Fatalf("container %s is not seen running after %v", id.Short(), startLimit)
		}
	}
}

// startOf returns when Docker says a container started, and when it told.
func (d *daemon) startOf(docker <-chan notice, id inventory.ID) (began, told time.Time) {
	for {
		select {
		case n := <-docker:
			var e struct {
				ID       inventory.ID
				TimeNano int64
			}
			d.must(json.Unmarshal(n.line, &e))
			if e.ID == id {
				return time.Unix(0, e.TimeNano), n.at
			}
		case <-d.ctx.Done():
			d.alive()
		case <-time.After(startLimit):
			d.Fatalf("no start event of container %s", id.Short())
		}
	}
}

// quantile returns the smallest value that q of all values do not exceed.
func quantile(values []time.Duration, q float64) time.Duration {
	values = slices.Clone(values)
	slices.Sort(values)
	at := int(float64(len(values))*q + 0.999999)
	return values[min(max(at, 1), len(values))-1]
}

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
