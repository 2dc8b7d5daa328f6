package stats_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/internal/stats"
)

// A receiver on a real socket reads what the reporter sends with the real
// client: gauges as they are, counts as differences, nothing outside the table.
func TestReporterSendsGaugesAndDifferences(t *testing.T) {
	receiver, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	var round atomic.Int64
	r := &stats.Reporter{
		Addr: receiver.LocalAddr().String(), Prefix: "berth.", Tags: []string{"host:h1"},
		Interval: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Gather: func() []stats.Sample {
			n := float64(round.Add(1))
			return []stats.Sample{
				{Name: stats.Containers, Value: 7, Tags: []string{"state:running"}},
				{Name: stats.LogsPurged, Value: 3 * n},
				{Name: stats.ProcessCPU, Value: 0.25 * n},
				{Name: "not.in.the.table", Value: 1},
			}
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()

	var got []string
	want := []string{
		"berth.containers:7|g|#host:h1,state:running",
		"berth.logs.purged:3|c|#host:h1",
		"berth.process.cpu_seconds:1|c|#host:h1",
	}
	buf := make([]byte, 65536)
	for !containsAll(got, want) {
		if err := receiver.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, _, err := receiver.ReadFrom(buf)
		if err != nil {
			t.Fatalf("got %q, want all of %q: %v", got, want, err)
		}
		got = append(got, strings.Split(strings.TrimSpace(string(buf[:n])), "\n")...)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v, want nil after cancellation", err)
	}
	for _, line := range got {
		if strings.Contains(line, "not.in.the.table") {
			t.Errorf("sent %q, which is not in the table", line)
		}
	}
}

func containsAll(got, want []string) bool {
	for _, w := range want {
		if !slices.Contains(got, w) {
			return false
		}
	}
	return true
}

func TestMetricsAreSortedAndWhole(t *testing.T) {
	table := stats.Metrics()
	if !sort.SliceIsSorted(table, func(i, j int) bool { return table[i].Name < table[j].Name }) {
		t.Error("the table is not sorted by name")
	}
	for _, m := range table {
		if m.Help == "" || (m.Kind != stats.Gauge && m.Kind != stats.Count) {
			t.Errorf("metric %s lacks a kind or an explanation", m.Name)
		}
	}
}

func TestProcessReadsItself(t *testing.T) {
	cpu, rss := stats.Process()
	if cpu <= 0 || rss < 1<<20 {
		t.Errorf("Process() = %v, %d; want some CPU time and at least 1 MiB", cpu, rss)
	}
}
