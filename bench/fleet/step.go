package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// none is a goal that is not set.
const none = -1

// register starts all hosts at once.
func (f *fleet) register(ctx context.Context) ([]figure, error) {
	began := time.Now()
	for _, h := range f.hosts {
		h.start(ctx, f.gate, f.ttl, spread)
	}
	err := until(ctx, 5*time.Minute, "all hosts", func() bool { n, _, _ := f.seen.counts(); return n == len(f.hosts) })
	took := time.Since(began)
	f.churn(ctx)
	cpu, calls := cpuTime(), f.gate.calls.Load()
	window := sleep(ctx, 20*time.Second)
	return []figure{
		{fmt.Sprintf("all %d hosts registered, begun within 2 s", len(f.hosts)), took.Seconds(), "s", none},
		{"steady calls", float64(f.gate.calls.Load()-calls) / window.Seconds(), "/s", none},
		{"steady CPU of publishers and store together", 100 * (cpuTime() - cpu).Seconds() / window.Seconds(), "% of a core", none},
	}, err
}

// restarts ends and starts agents a hundred times while hosts change.
func (f *fleet) restarts(ctx context.Context) ([]figure, error) {
	_, same, _ := f.seen.counts()
	for range 100 {
		h := f.hosts[rand.IntN(len(f.hosts))]
		h.stop()
		h.start(ctx, f.gate, f.ttl, 0)
		sleep(ctx, 50*time.Millisecond)
	}
	sleep(ctx, 2*time.Second)
	records, after, gone := f.seen.counts()
	return []figure{
		{"records lost in 100 restarts of agents", float64(len(f.hosts) - records), "", 0},
		{"records seen to go meanwhile", float64(gone), "", 0},
		{"identical records put meanwhile", float64(after - same), "", 100},
	}, ctx.Err()
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
	want := fmt.Sprint(ports(h))
	err := until(ctx, 10*time.Second, "the last change", func() bool { return f.seen.ports(h.name) == want })
	return []figure{
		{"10,000 changes of a host in 10 s: seen after the last", time.Since(last).Seconds(), "s", 1},
		{"its records meanwhile", float64(f.seen.record(h.name).Seq-before) / last.Sub(began).Seconds(), "/s", 5.2},
	}, err
}

// away shuts the store for longer than a TTL and opens it again with its data.
func (f *fleet) away(ctx context.Context) ([]figure, error) {
	f.churn(ctx)
	figures, err := f.outage(ctx, "with its data", f.file)
	f.churning()
	return figures, err
}

// emptied does the same with a store that has lost everything.
func (f *fleet) emptied(ctx context.Context) ([]figure, error) {
	return f.outage(ctx, "emptied", f.file+"-2")
}

func (f *fleet) outage(ctx context.Context, how, file string) ([]figure, error) {
	f.gate.die()
	f.seen.stop()
	if err := f.store.Close(); err != nil {
		return nil, err
	}
	sleep(ctx, f.plan.outage)
	if err := f.open(file); err != nil {
		return nil, err
	}
	if err := f.watch(ctx); err != nil {
		return nil, err
	}
	began, cpu := time.Now(), cpuTime()
	f.gate.revive(f.store)
	busiest := f.busiest(ctx)
	most := time.Duration(0)
	shares := map[int]time.Duration{}
	err := until(ctx, 2*time.Minute, "the return of all", func() bool {
		back := int(f.gate.back.Load())
		for _, percent := range []int{50, 99, 100} {
			if _, known := shares[percent]; !known && back*100 >= percent*len(f.hosts) {
				shares[percent] = time.Since(began)
			}
		}
		most = time.Since(began)
		return back == len(f.hosts)
	})
	sleep(ctx, 100*time.Millisecond)
	spent := 100 * (cpuTime() - cpu).Seconds() / time.Since(began).Seconds()
	records, _, gone := f.seen.counts()
	name := fmt.Sprintf("store away for %v, back %s: ", f.plan.outage, how)
	return []figure{
		{name + "half of the hosts are back", shares[50].Seconds(), "s", none},
		{name + "99 %", shares[99].Seconds(), "s", 20},
		{name + "all", most.Seconds(), "s", 30},
		{name + "busiest second", float64(busiest()), "calls", none},
		{name + "CPU until then", spent, "% of a core", none},
		{name + "records lost", float64(len(f.hosts) - records), "", 0},
		{name + "records seen to go", float64(gone), "", 0},
	}, err
}

// deaths ends the sessions of up to 1,000 agents at once, which is what a store
// sees of agents that were killed.
func (f *fleet) deaths(ctx context.Context) ([]figure, error) {
	dead := f.hosts[:min(1000, len(f.hosts)/2)]
	began := time.Now()
	for _, h := range dead {
		h.stop()
	}
	ended := time.Now()
	err := until(ctx, f.ttl+30*time.Second, "the end of their records", func() bool { _, _, gone := f.seen.counts(); return gone >= len(dead) })
	first, last := f.seen.span()
	records, _, _ := f.seen.counts()
	return []figure{
		{fmt.Sprintf("%d agents die at once: first record gone, after its TTL", len(dead)), (first.Sub(began) - f.ttl).Seconds(), "s", none},
		{"last record gone, after its TTL", (last.Sub(ended) - f.ttl).Seconds(), "s", 1},
		{"records of the living lost meanwhile", float64(len(f.hosts) - len(dead) - records), "", 0},
	}, err
}

// sleep waits for a time, and returns how long it was.
func sleep(ctx context.Context, d time.Duration) time.Duration {
	began := time.Now()
	if d <= 0 {
		return 0
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return time.Since(began)
}

// cpuTime is what this process has used: publishers, store and watcher.
func cpuTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
