package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/berth-dev/berth/bench/relay"
)

// ourRelays are the ways of ours that are set beside goals: without and with
// privileges, by either upstream.
func ourRelays() []string { return []string{"udp-field", "uds-field", "uds-tags", "uds-cred"} }

// beside adds the figures that have a goal.
func beside(r *report, all relay.Results) {
	for _, name := range ourRelays() {
		steadily(r, all, name)
		burstingly(r, all, name)
		if one, ok := all.Of("flood", name); ok {
			r.add(figure{"relay " + name + ": a quiet container beside a flood", "% lost", 100 * one.Of(func(s relay.Sample) float64 { return s.Victim }), 0, "goal: none; 1,000 a second beside 300,000"})
		}
		if one, ok := all.Of("ladder", name); ok {
			naive, _ := all.Of("ladder", relay.Naive)
			nat, _ := all.Of("ladder", relay.DNAT)
			r.add(figure{"relay " + name + ": highest rate, naive beside it", "x", naive.Rate / one.Rate, 1 / 1.4, fmt.Sprintf("%.0f k/s without loss", one.Rate/1000)})
			r.add(figure{"relay " + name + ": highest rate, DNAT beside it", "x", nat.Rate / one.Rate, 1 / 1.2, fmt.Sprintf("%.0f k/s", nat.Rate/1000)})
			r.add(figure{"relay " + name + ": 500 k/s beside highest rate", "x", 500_000 / one.Rate, 1, ""})
		}
	}
}

func cpuOf(s relay.Sample) float64   { return s.Relay }
func bothOf(s relay.Sample) float64  { return s.Relay + s.Sink }
func totalOf(s relay.Sample) float64 { return s.Total }
func lossOf(s relay.Sample) float64  { return 100 * s.Loss }

func steadily(r *report, all relay.Results, name string) {
	one, ok := all.Of("20k", name)
	naive, hasNaive := all.Of("20k", relay.Naive)
	direct, hasDirect := all.Of("20k", relay.Direct)
	nat, hasNAT := all.Of("20k", relay.DNAT)
	if !ok || !hasNaive || !hasDirect || !hasNAT {
		return
	}
	r.add(figure{"relay " + name + ": CPU at 20 k/s", "x naive", one.Of(cpuOf) / naive.Of(cpuOf), 0.15, fmt.Sprintf("%.0f ns a datagram", one.Of(cpuOf))})
	r.add(figure{"relay " + name + ": with receiver, beside receiver alone", "x direct", one.Of(bothOf) / direct.Of(bothOf), 0.3, fmt.Sprintf("%.0f ns for %.0f", one.Of(bothOf), direct.Of(bothOf))})
	r.add(figure{"relay " + name + ": all CPU at 20 k/s", "x DNAT", one.Of(totalOf) / nat.Of(totalOf), 0.85, fmt.Sprintf("%.0f ns, the sender's with it", one.Of(totalOf))})
	r.add(figure{"relay " + name + ": allocations", "a datagram", one.Of(func(s relay.Sample) float64 { return s.Allocs }), 0, "goal: none, rounded to hundredths"})
}

func burstingly(r *report, all relay.Results, name string) {
	one, ok := all.Of("100k", name)
	naive, hasNaive := all.Of("100k", relay.Naive)
	direct, hasDirect := all.Of("100k", relay.Direct)
	nat, hasNAT := all.Of("100k", relay.DNAT)
	if !ok || !hasNaive || !hasDirect || !hasNAT {
		return
	}
	r.add(figure{"relay " + name + ": CPU at 100 k/s in bursts", "x naive", one.Of(cpuOf) / naive.Of(cpuOf), 0.4, fmt.Sprintf("%.0f ns a datagram", one.Of(cpuOf))})
	r.add(figure{"relay " + name + ": all CPU at 100 k/s", "x DNAT", one.Of(totalOf) / nat.Of(totalOf), 0.85, fmt.Sprintf("%.0f ns", one.Of(totalOf))})
	r.add(figure{"relay " + name + ": loss at 100 k/s", "%", one.Of(lossOf), 0, fmt.Sprintf("goal: none; direct: %.3f %%, DNAT: %.3f %%, naive: %.3f %%", direct.Of(lossOf), nat.Of(lossOf), naive.Of(lossOf))})
}

// still adds the figures of a relay that has nothing to do, or no upstream.
func still(ctx context.Context, j *job, r *report, rig *relay.Rig, span time.Duration) {
	calm, err := rig.Idle(ctx, span)
	j.must(err)
	r.add(figure{"relay: idle CPU", "% of a core", 100 * calm.CPU.Seconds() / calm.Span.Seconds(), 0, fmt.Sprintf("goal: none; %v in %v", calm.CPU, calm.Span.Round(time.Second))})
	r.add(figure{"relay: RSS, idle", "MiB", mebi(calm.RSS), 20, "after some load"})
	r.add(figure{"relay: RSS, 32 MiB held", "MiB", mebi(calm.Full), 64, "the receiver has gone"})
}

// outage adds what a restart of the receiver costs.
func outage(ctx context.Context, j *job, r *report, rig *relay.Rig) {
	const away = 10 * time.Second
	o, err := rig.Outage(ctx, away)
	j.must(err)
	r.add(figure{"relay: lost over 10 s without a receiver", "messages", float64(o.Lost), 0, fmt.Sprintf("goal: none of %d at 20 k/s; %d were held, and delivered within %.1f s", o.Sent, o.HeldMax, o.Back.Seconds())})
}

// tiny adds what our relay does for each line, by the benchmarks of its own
// packages.
func tiny(ctx context.Context, j *job, r *report) {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "Find|Append", "./bridge/dogstatsd/...").CombinedOutput()
	if err != nil {
		j.Fatalf("benchmarks of the relay: %v\n%s", err, out)
	}
	goals := map[string]float64{"BenchmarkAppend/field": 40, "BenchmarkAppend/inode": 40, "BenchmarkAppend/tags": 40, "BenchmarkFind": 5}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || f[3] != "ns/op" {
			continue
		}
		name, _, _ := strings.Cut(f[0], "-")
		ns, err := strconv.ParseFloat(f[2], 64)
		j.must(err)
		r.add(figure{"relay: " + name, "ns", ns, goals[name], strings.Join(f[4:], " ")})
	}
}
