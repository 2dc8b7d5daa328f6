package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berth-dev/berth/agent/api"
)

// settled is when the daemon has done all that the start of many containers
// makes it do once.
const settled = 30 * time.Second

// idle measures what the daemon costs while nothing happens.
func (d *daemon) idle(r *report, span time.Duration) {
	fmt.Fprintf(os.Stderr, "watching the idle daemon for %v, after %v to settle\n", span, settled)
	d.rest(settled)
	before, began := d.cpu(), time.Now()
	d.rest(span)
	d.alive()
	used, span := d.cpu()-before, time.Since(began)
	r.add(figure{"idle CPU", "% of a core", 100 * used.Seconds() / span.Seconds(), 0.1, fmt.Sprintf("%v in %v", used.Round(time.Microsecond), span.Round(time.Second))})
	r.add(figure{"idle RSS", "MiB", d.memory("status", "VmRSS:"), 25, "VmRSS"})
	r.add(figure{"idle PSS", "MiB", d.memory("smaps_rollup", "Pss:"), 25, "its share of what it shares"})
	r.add(figure{"anonymous memory", "MiB", d.memory("status", "RssAnon:"), 0, "of the RSS: not the binary's own pages"})
}

// rest lets time pass.
func (d *daemon) rest(span time.Duration) {
	select {
	case <-time.After(span):
	case <-d.ctx.Done():
	}
}

// sweeps measures the CPU of a sweep that finds nothing to remove.
func (d *daemon) sweeps(r *report, folders int) {
	var ids []string
	for id := range d.running("") {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for n := range folders {
		d.must(os.MkdirAll(filepath.Join(d.logs(), fmt.Sprintf("service%d", n/len(ids)), "containers", ids[n%len(ids)]), 0o755))
	}
	const rounds = 20
	var took []time.Duration
	var cost []time.Duration
	for range rounds {
		d.alive()
		var run api.Run
		before, began := d.cpu(), time.Now()
		d.call(http.MethodPost, "/v1/jobs/logs/run", "", &run) // as the hourly one is run
		took, cost = append(took, time.Since(began)), append(cost, d.cpu()-before)
		if run.Result != "ok" {
			d.Fatalf("the sweep ended %s: %s", run.Result, run.Detail)
		}
	}
	var plan api.LogPlan
	if d.call(http.MethodGet, "/v1/logs/plan", "", &plan); plan.Keep != folders || plan.Remove != 0 {
		d.Fatalf("sweeps keep %d and remove %d, want %d and 0", plan.Keep, plan.Remove, folders)
	}
	note := fmt.Sprintf("median of %d sweeps over %d folders", rounds, folders)
	r.add(figure{"sweep CPU, nothing dead", "ms", milli(quantile(cost, 0.5)), 20, note})
	r.add(figure{"sweep time, nothing dead", "ms", milli(quantile(took, 0.5)), 0, note + ", answer included"})
}

// cpu is the time that all threads of the daemon have run.
func (d *daemon) cpu() time.Duration {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", d.cmd.Process.Pid))
	d.must(err)
	var total time.Duration
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		ran, _, _ := strings.Cut(string(b), " ")
		ns, err := strconv.ParseInt(ran, 10, 64)
		d.must(err)
		total += time.Duration(ns)
	}
	return total
}

// memory reads a line of the daemon's /proc files, in MiB.
func (d *daemon) memory(file, name string) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", d.cmd.Process.Pid, file))
	d.must(err)
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == name {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			d.must(err)
			return mebi(kib << 10)
		}
	}
	d.Fatalf("no %s in /proc/<pid>/%s", name, file)
	return 0
}
