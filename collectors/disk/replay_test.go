package disk_test

import (
	"flag"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/disk"
)

var (
	seed  = flag.Uint64("seed", 1, "seed of the replayed traces")
	fills = flag.Int("fills", 50, "fills to replay")
	weeks = flag.Int("weeks", 20, "host-weeks without a fill to replay")
)

// wanted is how long before a fill the warning has to come.
const wanted = 30 * time.Minute

// noMarks are limits that use never reaches, so that a forecast is all there is.
var noMarks = disk.Limits{Low: 101, High: 101, Emergency: 101}

// A verdict is what a ladder made of a trace.
type verdict struct {
	warned time.Duration // from leaving normal for good until it was full; 0: it was normal to the end
	untrue int           // warnings of a fill that did not come in three times the time they named
}

// replay shows a trace to a forecaster, and its forecasts to a ladder per limits.
func replay(tr trace, all ...disk.Limits) []verdict {
	var f disk.Forecaster
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ladders, verdicts := make([]disk.Ladder, len(all)), make([]verdict, len(all))
	levels, since := make([]disk.Level, len(all)), make([]int, len(all))
	for i, used := range tr.used {
		if used < 0 {
			continue
		}
		u := tr.usage(i)
		forecast := f.Add(start.Add(time.Duration(i)*tick), u)
		for n := range all {
			ladders[n].Limits = all[n]
			was := levels[n]
			levels[n] = ladders[n].Step(u, forecast)
			if was != disk.Normal || levels[n] == disk.Normal {
				continue
			}
			since[n] = i
			if levels[n] == disk.Soon && i+int(3*forecast.Full/tick) < tr.full {
				verdicts[n].untrue++
			}
		}
	}
	for n := range all {
		if tr.full < len(tr.used) && levels[n] > disk.Normal {
			verdicts[n].warned = time.Duration(tr.full-since[n]) * tick
		}
	}
	return verdicts
}

// The goals: a warning 30 min ahead in 95 % of the fills that take more than an
// hour, and less than one false alarm per host-week. The test holds the ladder
// to them, and prints what forecasts alone would do for a ladder without marks.
// Longer, and with other traces:
//
//	go test ./collectors/disk -run Replayed -v -args -fills 3000 -weeks 1500 -seed 2
func TestReplayedFillsAreForecastAndQuietHostsAreLeftAlone(t *testing.T) {
	life := newLife(*seed)
	hosts := *weeks * 7 / 2 // for two days each, so that they have to learn often
	inTime, early, alarms, loud := [2]int{}, [2]int{}, [2]int{}, [2]int{}
	for range *fills {
		tr := life.fill()
		for n, v := range replay(tr, usual, noMarks) {
			early[n] += v.untrue
			if v.warned >= wanted {
				inTime[n]++
			} else if n == 0 {
				t.Logf("%v ahead only: %s", v.warned, tr.what)
			}
		}
	}
	for range hosts {
		for n, v := range replay(life.quiet(2*perDay), usual, noMarks) {
			alarms[n] += v.untrue
			loud[n] += min(v.untrue, 1)
		}
	}
	share := func(n int) float64 { return 100 * float64(inTime[n]) / float64(*fills) }
	rate := func(n int) float64 { return float64(alarms[n]) / float64(*weeks) }
	for n, name := range []string{"the ladder", "forecasts alone"} {
		t.Logf("seed %d, %s: %.1f %% of %d fills in time (%d warnings far too early), %.2f false alarms a host-week, on %d of %d hosts",
			*seed, name, share(n), *fills, early[n], rate(n), loud[n], hosts)
	}
	if share(0) < 95 {
		t.Errorf("%.1f %% of the fills were warned of in time, want 95 %%", share(0))
	}
	if rate(0) >= 1 {
		t.Errorf("%.2f false alarms a host-week, want less than 1", rate(0))
	}
}
