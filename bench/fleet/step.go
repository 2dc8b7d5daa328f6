package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// none is a goal that is not set.
const none = -1

// atOnce is how many hosts begin in a second. All of them in one process are more
// than it can do at once, and what is of interest is what comes later.
const atOnce = 250

// register starts all hosts, and then looks at what they cost.
func (f *fleet) register(ctx context.Context) ([]figure, error) {
	began := time.Now()
	for n := range f.hosts {
		f.start(ctx, n, spread)
		sleep(ctx, time.Until(began.Add(time.Duration(n)*time.Second/atOnce)))
	}
	err := until(ctx, 5*time.Minute, "all hosts", func() bool { n, _, _ := f.seen.counts(); return n == len(f.hosts) })
	took := time.Since(began)
	if err != nil {
		return nil, err
	}
	f.churn(ctx)
	sleep(ctx, f.ttl/3) // by then the renewals are no longer in step
	u := f.since(ctx)
	sleep(ctx, f.watched)
	used := u.cpu()
	f.steady = u.calls(ctx)
	goal := float64(none)
	if f.server.outlasts() { // the embedded store has none, and its figure has the publishers in it
		goal = 30 * float64(len(f.hosts)) / 10_000
	}
	return []figure{
		{fmt.Sprintf("all %d hosts registered, %d begun in a second", len(f.hosts), atOnce), took.Seconds(), "s", none},
		{fmt.Sprintf("steady for %v: calls", f.watched), f.steady, "/s", none},
		{"steady: CPU of " + f.server.whose(), used, "% of a core", goal},
	}, ctx.Err()
}

// restarts ends and starts agents a hundred times while hosts change.
func (f *fleet) restarts(ctx context.Context) ([]figure, error) {
	same, err := f.same(ctx)
	if err != nil {
		return nil, err
	}
	for range 100 {
		n := rand.IntN(len(f.hosts))
		f.hosts[n].stop()
		f.start(ctx, n, 0)
		sleep(ctx, 50*time.Millisecond)
	}
	sleep(ctx, 2*time.Second)
	records, _, gone := f.seen.counts()
	return []figure{
		{"100 restarts of agents under churn: records lost or twice", max(float64(len(f.hosts)-records), float64(records-len(f.hosts))), "", 0},
		{"the same: records seen to go", float64(gone), "", 0},
		{"the same: identical puts", float64(same()), "", 1},
	}, ctx.Err()
}

// same counts puts that change nothing, where the server itself can tell.
func (f *fleet) same(ctx context.Context) (func() int, error) {
	if r, ok := f.server.(*real); ok {
		return r.same(ctx)
	}
	_, before, _ := f.seen.counts()
	return func() int { _, after, _ := f.seen.counts(); return after - before }, nil
}

// storm changes one host 10,000 times in ten seconds.
func (f *fleet) storm(ctx context.Context) ([]figure, error) {
	f.churning()
	sleep(ctx, 2*time.Second)
	h, before := f.hosts[0], f.seen.record(f.hosts[0].name).Seq
	began := time.Now()
	for n := range 10_000 {
		h.change()
		sleep(ctx, time.Until(began.Add(time.Duration(n)*time.Millisecond)))
	}
	last := time.Now()
	err := until(ctx, 10*time.Second, "the last change", func() bool { return h.says(f.seen.record(h.name)) })
	return []figure{
		{"10,000 changes of a host in 10 s: seen after the last", time.Since(last).Seconds(), "s", 1},
		{"the same: its records", float64(f.seen.record(h.name).Seq-before) / last.Sub(began).Seconds(), "/s", 5},
	}, err
}

// away has the store die for longer than a TTL and return with its data.
func (f *fleet) away(ctx context.Context) ([]figure, error) {
	f.churn(ctx)
	return f.outageOf(ctx, "with its data", false)
}

// emptied does the same with a store that has lost everything.
func (f *fleet) emptied(ctx context.Context) ([]figure, error) {
	defer f.churning()
	return f.outageOf(ctx, "emptied", true)
}

func (f *fleet) outageOf(ctx context.Context, how string, empty bool) ([]figure, error) {
	if err := f.server.die(); err != nil {
		return nil, err
	}
	sleep(ctx, f.outage)
	_, _, lost := f.seen.counts()
	numbers := f.seen.numbers()
	if empty || !f.server.outlasts() { // this watcher begins with the return
		f.seen.stop()
		lost = 0
	}
	if err := f.server.revive(empty); err != nil {
		return nil, err
	}
	u, busiest := f.since(ctx), f.busiest(ctx)
	if empty || !f.server.outlasts() {
		if err := f.watch(ctx); err != nil {
			return nil, err
		}
	}
	if empty {
		numbers = nil
	}
	f.seen.returns(f.hosts, numbers)
	half, most, all, err := f.backs(ctx, u.began)
	spent := u.cpu()
	sleep(ctx, 3*time.Second) // a busy second may follow
	records, _, gone := f.seen.counts()
	name := fmt.Sprintf("store away for %v, back %s: ", f.outage, how)
	goal, cpu := float64(none), float64(none)
	if !empty && f.server.outlasts() {
		goal, cpu = 3*f.steady, 50
	}
	return []figure{
		{name + "half of the hosts fresh", half.Seconds(), "s", none},
		{name + "99 %", most.Seconds(), "s", 20},
		{name + "all", all.Seconds(), "s", 30},
		{name + "busiest second", busiest(), "calls", goal},
		{name + "CPU until then of " + f.server.whose(), spent, "% of a core", cpu},
		{name + "records lost", float64(len(f.hosts) - records), "", 0},
		{name + "records seen to go", float64(gone - lost), "", 0},
	}, err
}

// backs waits for the return of all hosts.
func (f *fleet) backs(ctx context.Context, began time.Time) (half, most, all time.Duration, err error) {
	err = until(ctx, 2*time.Minute, "the return of all", func() bool {
		back, took := f.seen.back(), time.Since(began)
		if half == 0 && back*2 >= len(f.hosts) {
			half = took
		}
		if most == 0 && back*100 >= 99*len(f.hosts) {
			most = took
		}
		all = took
		return back == len(f.hosts)
	})
	return half, most, all, err
}

// deaths ends the sessions of up to 1,000 agents at once, which is what a store
// sees of agents that were killed.
func (f *fleet) deaths(ctx context.Context) ([]figure, error) {
	dead := f.hosts[:min(1000, len(f.hosts)/2)]
	began := time.Now()
	stop(dead)
	ended := time.Now()
	err := until(ctx, f.ttl+30*time.Second, "the end of their records", func() bool { _, _, n := f.seen.span(began); return n >= len(dead) })
	first, last, _ := f.seen.span(began)
	records, _, _ := f.seen.counts()
	return []figure{
		{fmt.Sprintf("%d agents die at once: first record gone, after its TTL", len(dead)), (first.Sub(began) - f.ttl).Seconds(), "s", none},
		{"the same: last record gone, after its TTL", (last.Sub(ended) - f.ttl).Seconds(), "s", 1},
		{"the same: records of the living lost", float64(len(f.hosts) - len(dead) - records), "", 0},
	}, err
}
