package disk_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/disk"
)

// noon has no monotonic reading, like a clock that can be set.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A film is shown to a forecaster: 100 GiB and as many inodes, of which some
// are left after so long.
type film struct {
	disk.Forecaster
	now  time.Time
	last disk.Forecast
}

// show shows what is left, in percent, each 30 s for so long.
func (f *film) show(d time.Duration, left func(time.Duration) float64) disk.Forecast {
	return f.showEach(tick, d, left)
}

func (f *film) showEach(step, d time.Duration, left func(time.Duration) float64) disk.Forecast {
	if f.now.IsZero() {
		f.now = noon
	}
	for t := time.Duration(0); t < d; t += step {
		f.last = f.Add(f.now, leftOf(left(t), 90))
		f.now = f.now.Add(step)
	}
	return f.last
}

// leftOf is a use with so many percent of bytes and of inodes left.
func leftOf(bytes, inodes float64) disk.Usage {
	const files = 1 << 24
	return disk.Usage{Bytes: 100 * gib, Avail: uint64(bytes * gib), Inodes: files, InodesFree: uint64(inodes / 100 * files)}
}

// falling is what is left of so much if it lasts for so long.
func falling(from float64, lasts time.Duration) func(time.Duration) float64 {
	return func(t time.Duration) float64 { return max(from*(1-t.Seconds()/lasts.Seconds()), 0) }
}

func constant(percent float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return percent }
}

func wantFull(t *testing.T, got disk.Forecast, want time.Duration) {
	t.Helper()
	if off := (got.Full - want).Abs(); want == 0 && got.Full != 0 || off > want/10 {
		t.Errorf("full in %v, want %v: %+v", got.Full, want, got)
	}
}

func TestASteadyFillIsForecastFromTheShortestWindowThatMay(t *testing.T) {
	tests := map[string]struct{ lasts, seen, window time.Duration }{
		"in minutes": {20 * time.Minute, 6 * time.Minute, 5 * time.Minute},
		"in an hour": {time.Hour, 21 * time.Minute, 20 * time.Minute},
		"in hours":   {4 * time.Hour, 90 * time.Minute, time.Hour},
		"in a day":   {24 * time.Hour, 7 * time.Hour, 6 * time.Hour},
		"in days":    {72 * time.Hour, 25 * time.Hour, 24 * time.Hour},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var f film
			got := f.show(tt.seen, falling(60, tt.lasts))
			wantFull(t, got, tt.lasts-tt.seen)
			if got.Window != tt.window || got.Resource != disk.Bytes {
				t.Errorf("got %+v, want it from %v", got, tt.window)
			}
			if want := 60 * gib / tt.lasts.Seconds(); got.Rate < 0.9*want || got.Rate > 1.1*want {
				t.Errorf("grows at %v a second, want %v", got.Rate, want)
			}
		})
	}
}

func TestWhatDoesNotFillIsNotForecast(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	tests := map[string]func(time.Duration) float64{
		"constant":               constant(10),
		"emptying":               func(t time.Duration) float64 { return 10 + t.Hours() },
		"nothing left for hours": constant(0),
		"noise":                  func(time.Duration) float64 { return 20 + random.NormFloat64() },
		"a jump": func(t time.Duration) float64 {
			if t > 90*time.Minute {
				return 10
			}
			return 30
		},
		"swept each hour": func(t time.Duration) float64 { return 40 - 30*(t%time.Hour).Hours() },
	}
	for name, left := range tests {
		t.Run(name, func(t *testing.T) {
			var f film
			var worst time.Duration
			f.show(4*time.Hour, left) // to learn
			for range 10 * perHour {
				passed := f.now.Sub(noon)
				got := f.show(tick, func(t time.Duration) float64 { return left(passed + t) })
				if got.Full > 0 && (worst == 0 || got.Full < worst) {
					worst = got.Full
				}
			}
			if worst > 0 && worst < 2*time.Hour {
				t.Errorf("was forecast to be full in %v", worst)
			}
		})
	}
}

func TestTheFirstResourceToRunOutIsNamed(t *testing.T) {
	var f disk.Forecaster
	var got disk.Forecast
	for i := range 2 * perHour {
		passed := time.Duration(i) * tick
		got = f.Add(noon.Add(passed), leftOf(falling(60, 6*time.Hour)(passed), falling(50, 4*time.Hour)(passed)))
	}
	wantFull(t, got, 2*time.Hour)
	if got.Resource != disk.Inodes {
		t.Errorf("got %+v, want inodes", got)
	}
}

func TestAFileSystemWithoutInodesIsForecastByBytes(t *testing.T) {
	var f disk.Forecaster
	var got disk.Forecast
	for i := range perHour {
		u := leftOf(falling(60, 2*time.Hour)(time.Duration(i)*tick), 0)
		u.Inodes, u.InodesFree = 0, 0
		got = f.Add(noon.Add(time.Duration(i)*tick), u)
	}
	wantFull(t, got, time.Hour)
}

// A sweep gives space back; whoever writes goes on writing.
func TestADropDelaysAFillAndDoesNotHideIt(t *testing.T) {
	var f film
	f.show(time.Hour, falling(60, 2*time.Hour))
	got := f.show(5*time.Minute, falling(60, 2*time.Hour))
	wantFull(t, got, 115*time.Minute)
}

func TestSweepsThatStopAreMissed(t *testing.T) {
	var f film
	saw := func(t time.Duration) float64 { return 60 - 30*(t%time.Hour).Hours() }
	f.show(6*time.Hour, saw)
	if got := f.show(50*time.Minute, saw); got.Full != 0 && got.Full < 24*time.Hour {
		t.Errorf("before the sweep is due: %+v", got)
	}
	got := f.show(25*time.Minute, func(t time.Duration) float64 { return 60 - 30*(50*time.Minute+t).Hours() })
	wantFull(t, got, 45*time.Minute)
}

// Each sweep gives back less than has grown, 10 of 12 percent. After 25 hours
// the growth until the next sweep no longer fits.
func TestAFillBetweenSweepsIsForecastBeyondTheNextSweep(t *testing.T) {
	var f film
	wantFull(t, f.show(12*time.Hour, func(t time.Duration) float64 {
		return 60 - 12*t.Hours() + 10*float64(t/time.Hour)
	}), 13*time.Hour)
}

func TestSamplesMayComeFasterSlowerOrNotAtAll(t *testing.T) {
	fill := falling(60, 4*time.Hour)
	for name, step := range map[string]time.Duration{"each second": time.Second, "each 5 s": 5 * time.Second, "each 31 s": 31 * time.Second, "each 2 min": 2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			var f film
			wantFull(t, f.showEach(step, 2*time.Hour, fill), 2*time.Hour)
		})
	}
	t.Run("a gap", func(t *testing.T) {
		var f film
		f.show(time.Hour, fill)
		f.now = f.now.Add(25 * time.Minute)
		got := f.show(35*time.Minute, func(t time.Duration) float64 { return fill(t + 85*time.Minute) })
		wantFull(t, got, 2*time.Hour)
	})
}

func TestAClockThatIsSetDoesNoHarm(t *testing.T) {
	for name, jump := range map[string]time.Duration{"back": -24 * time.Hour, "forth": 24 * 365 * time.Hour, "back a little": -time.Minute} {
		t.Run(name, func(t *testing.T) {
			var f film
			f.show(time.Hour, falling(60, 4*time.Hour))
			f.now = f.now.Add(jump)
			for i := range 2 * perHour {
				left := falling(60, 4*time.Hour)(time.Hour + time.Duration(i)*tick)
				if got := f.show(tick, constant(left)); got.Full > 0 && got.Full < time.Hour {
					t.Fatalf("%v after the jump: %+v", time.Duration(i)*tick, got)
				}
			}
			wantFull(t, f.last, time.Hour)
		})
	}
}

func TestAForecasterStaysSmall(t *testing.T) {
	const n = 100
	forecasters := make([]disk.Forecaster, n)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range forecasters {
		f := &forecasters[i]
		for t := range perDay {
			f.Add(noon.Add(time.Duration(t)*tick), leftOf(60-float64(t%perHour)/10, 90))
		}
	}
	each := int64(heap()-before) / n
	runtime.KeepAlive(forecasters)
	t.Logf("%d bytes each", each)
	if each > 100<<10 {
		t.Errorf("%d bytes each", each)
	}
}
