package relay_test

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/berth-dev/berth/bench/relay"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == relay.ChildArg {
		if err := relay.Child(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestEachWayLeadsFromTheContainersToTheReceiver(t *testing.T) {
	rig, err := relay.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rig.Close(); err != nil {
			t.Error(err)
		}
	})
	ways := []string{relay.Direct, relay.DNAT, relay.Naive, "udp-tags", "uds-field", "uds-cred"}
	results, err := rig.Measure(t.Context(), relay.Plan{
		Rounds: 1, Span: 100 * time.Millisecond, Variants: ways, Loads: []string{"1400", "64"}, Progress: io.Discard,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, load := range []string{"1400", "64"} {
		for _, way := range ways {
			one, ok := results.Of(load, way)
			if !ok {
				t.Errorf("%s, %s: not measured", load, way)
				continue
			}
			// How much arrives is the machine's, in a tenth of a second beside other tests.
			if got := one.Of(func(s relay.Sample) float64 { return s.Loss }); got >= 1 {
				t.Errorf("%s, %s: nothing has arrived", load, way)
			}
			if one.Of(func(s relay.Sample) float64 { return s.Sink }) <= 0 {
				t.Errorf("%s, %s: the receiver has cost nothing", load, way)
			}
		}
	}
}
