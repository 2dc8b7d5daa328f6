package disk_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/disk"
)

// usual are the limits of the default configuration.
var usual = disk.Limits{Low: 70, High: 85, Emergency: 98}

// at is a use of so many percent.
func at(percent float64) disk.Usage { return disk.Usage{BytesPercent: percent} }

// in is a forecast; 0: none.
func in(d time.Duration) disk.Forecast { return disk.Forecast{Full: d} }

func TestEachLevelBeginsAndEndsAtItsOwnMark(t *testing.T) {
	type step struct {
		percent  float64
		forecast time.Duration
		want     disk.Level
	}
	tests := map[string][]step{
		"a normal life":                {{0, 0, disk.Normal}, {69, 0, disk.Normal}, {84.9, 0, disk.Normal}},
		"high until below low":         {{85, 0, disk.High}, {84, 0, disk.High}, {70, 0, disk.High}, {69.9, 0, disk.Normal}, {84.9, 0, disk.Normal}},
		"an emergency ends as high":    {{98, 0, disk.Emergency}, {97, 0, disk.Emergency}, {96.9, 0, disk.High}, {70, 0, disk.High}, {69, 0, disk.Normal}},
		"an emergency ends altogether": {{100, 0, disk.Emergency}, {20, 0, disk.Normal}},
		"back into the emergency":      {{98, 0, disk.Emergency}, {96, 0, disk.High}, {97.9, 0, disk.High}, {98, 0, disk.Emergency}},
		"a forecast within the lead":   {{50, 60 * time.Minute, disk.Normal}, {50, 59 * time.Minute, disk.Soon}},
		"a forecast that goes away slowly": {
			{50, 40 * time.Minute, disk.Soon},
			{50, 120 * time.Minute, disk.Soon},
			{50, 121 * time.Minute, disk.Soon},
			{50, 0, disk.Soon},
			{50, 3 * time.Hour, disk.Soon},
			{50, 0, disk.Normal},
			{50, 60 * time.Minute, disk.Normal},
		},
		"a forecast that comes back in time": {
			{50, time.Minute, disk.Soon}, {50, 0, disk.Soon}, {50, 0, disk.Soon}, {50, 0, disk.Soon}, {50, 110 * time.Minute, disk.Soon}, {50, 0, disk.Soon},
		},
		"high hides a forecast":         {{90, time.Minute, disk.High}, {69, 40 * time.Minute, disk.Soon}},
		"a forecast that was true":      {{84, time.Minute, disk.Soon}, {85, time.Minute, disk.High}, {98, time.Second, disk.Emergency}},
		"what was high is not forecast": {{50, time.Minute, disk.Soon}, {86, 0, disk.High}, {60, 0, disk.Normal}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			l := disk.Ladder{Limits: usual}
			for i, s := range steps {
				if got := l.Step(at(s.percent), in(s.forecast)); got != s.want {
					t.Fatalf("step %d, %v%% and full in %v: %v, want %v", i, s.percent, s.forecast, got, s.want)
				}
			}
		})
	}
}

func TestTheEmergencyMarkMayLieCloseToTheHighOne(t *testing.T) {
	l := disk.Ladder{Limits: disk.Limits{Low: 70, High: 97.5, Emergency: 98}}
	for _, s := range []struct {
		percent float64
		want    disk.Level
	}{{98, disk.Emergency}, {97.6, disk.Emergency}, {97.4, disk.High}, {97.6, disk.High}, {69, disk.Normal}} {
		if got := l.Step(at(s.percent), disk.Forecast{}); got != s.want {
			t.Errorf("%v%%: %v, want %v", s.percent, got, s.want)
		}
	}
}

func TestNothingLeftIsAnEmergencyWhateverTheMarks(t *testing.T) {
	for name, u := range map[string]disk.Usage{
		"bytes":  {BytesPercent: 100, Inodes: 10, InodesFree: 9, InodesPercent: 10},
		"inodes": {BytesPercent: 10, InodesPercent: 100},
	} {
		l := disk.Ladder{Limits: disk.Limits{Low: 98, High: 99, Emergency: 100}}
		if got := l.Step(u, disk.Forecast{}); got != disk.Emergency {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLevelsHaveTheirNames(t *testing.T) {
	for level, want := range map[disk.Level]string{disk.Normal: "normal", disk.Soon: "forecast", disk.High: "high", disk.Emergency: "emergency"} {
		if level.String() != want {
			t.Errorf("%d is %q, want %q", level, level, want)
		}
	}
}

// Use that trembles by less than the hysteresis about any mark changes the
// level at most once.
func TestNoiseAboutAMarkDoesNotFlap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, mark := range []float64{usual.Low, usual.High, usual.Emergency, usual.Emergency - 1} {
		for _, from := range []float64{50, 90, 100} {
			l := disk.Ladder{Limits: usual}
			level, changes := l.Step(at(from), disk.Forecast{}), 0
			for range 1000 {
				next := l.Step(at(mark+random.Float64()*0.9-0.45), disk.Forecast{})
				if next != level {
					changes++
				}
				level = next
			}
			if changes > 2 {
				t.Errorf("about %v%%, from %v%%: %d changes", mark, from, changes)
			}
		}
	}
	l := disk.Ladder{Limits: usual}
	level, changes := disk.Normal, 0
	for range 1000 {
		next := l.Step(at(50), in(time.Duration((0.6+random.Float64()*1.3)*float64(time.Hour))))
		if next != level {
			changes++
		}
		level = next
	}
	if changes != 1 {
		t.Errorf("about the lead time: %d changes", changes)
	}
}

// However use and forecast wander: an emergency is never missed, a level is
// never below what use alone demands, and none is left before use or forecast
// has come down to where it ends.
func TestALadderKeepsItsPromisesOnAnyWalk(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		l := disk.Ladder{Limits: usual}
		percent, was, since, calm := random.Float64()*100, disk.Normal, 0, 0
		for i := range 2000 {
			percent = min(max(percent+random.NormFloat64()*random.ExpFloat64()*3, 0), 100)
			full := time.Duration(random.IntN(4)) * time.Duration(random.ExpFloat64()*float64(time.Hour))
			calm++
			if full > 0 && full <= 2*time.Hour {
				calm = 0
			}
			level := l.Step(at(percent), in(full))
			switch {
			case percent >= usual.Emergency && level != disk.Emergency,
				percent >= usual.High && level < disk.High,
				full > 0 && full < time.Hour && level == disk.Normal,
				level == disk.Emergency && percent < usual.Emergency-1,
				was >= disk.High && level < disk.High && percent >= usual.Low,
				was < disk.High && level == disk.High && percent < usual.High,
				was == disk.Soon && level == disk.Normal && (calm < 4 || i-since < 4):
				t.Fatalf("seed %d, step %d: %v, was %v, at %.1f%% and full in %v", seed, i, level, was, percent, full)
			}
			if level != was {
				since = i
			}
			was = level
		}
	}
}
