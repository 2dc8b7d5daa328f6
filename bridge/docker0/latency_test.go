package docker0_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/docker0"
)

// How long after docker0 has got another address a reader knows it, on a host
// with many containers' links. The time of the request itself is in it.
func BenchmarkAnotherAddress(b *testing.B) {
	for _, links := range []int{0, 200} {
		b.Run(fmt.Sprintf("links=%d", links), func(b *testing.B) {
			n := newNamespace(b)
			for i := range links / 2 { // each brings its peer
				n.add(b, "veth", fmt.Sprintf("veth%d", 1000+i))
			}
			n.add(b, "bridge", "docker0")
			w := watch(b, n)
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				n.give(b, "docker0", "172.17.0.1/16")
				until(b, w, "docker0", at("172.17.0.1"))
				took = append(took, time.Since(began))
				n.take(b, "docker0", "172.17.0.1/16")
				until(b, w, "docker0 without an address", func(s docker0.State) bool { return len(s.Bridges[0].Addresses) == 0 })
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs/median")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs/p99")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "µs/longest")
		})
	}
}
