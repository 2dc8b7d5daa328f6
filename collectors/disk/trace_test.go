package disk_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/disk"
)

// A trace is a made-up life of one file system, as shares of its size in use,
// one every tick; negative: the sample is missing.
type trace struct {
	what   string
	used   []float64
	inodes bool // it is the inodes that are used; bytes rest
	begin  int  // tick at which the fill begins
	full   int  // tick at which nothing is left; len(used) if never
}

const (
	tick    = 30 * time.Second
	perHour = int(time.Hour / tick)
	perDay  = 24 * perHour
	gib     = 1 << 30
)

// A life draws traces from one seed.
type life struct{ *rand.Rand }

func newLife(seed uint64) life { return life{rand.New(rand.NewPCG(seed, 30))} }

func (l life) between(low, high float64) float64 { return low + l.Float64()*(high-low) }

// scale is between two numbers; it is as likely to double the lower as to halve
// the higher.
func (l life) scale(low, high float64) float64 {
	return low * math.Exp(l.Float64()*math.Log(high/low))
}

func (l life) chance(p float64) bool { return l.Float64() < p }

// A host is what goes on beside a fill, or without one. Shares are of the size.
type host struct {
	noise   float64 // temporary files: how far use wanders about
	sweep   int     // ticks between sweeps; 0: nobody sweeps
	swept   float64 // what a sweep gives back, of what has grown since the last
	saw     float64 // what grows between two sweeps
	rotate  int     // ticks between rotations of a big log; 0: none
	log     float64 // its size then
	rhythm  float64 // how much more by day, and less by night
	batches float64 // jobs a day that write for a while and then remove it
	pulls   float64 // images a day; a sweep at night removes them
	bursts  int     // ticks from one burst of growth to the next; 0: it is even
	duty    float64 // how much of the time it bursts
	gaps    float64 // how many samples are missing
}

func (h host) String() string {
	var s []string
	say := func(is bool, format string, args ...any) {
		if is {
			s = append(s, fmt.Sprintf(format, args...))
		}
	}
	say(true, "noise %.2f%%", 100*h.noise)
	say(h.sweep > 0, "swept each %v, saw %.1f%%", time.Duration(h.sweep)*tick, 100*h.saw)
	say(h.rotate > 0, "%.1f%% rotated each %v", 100*h.log, time.Duration(h.rotate)*tick)
	say(h.rhythm > 0, "rhythm %.1f", h.rhythm)
	say(h.batches > 0, "%.1f batches and %.1f pulls a day", h.batches, h.pulls)
	say(h.bursts > 0, "bursts each %v, %.0f%% of the time", time.Duration(h.bursts)*tick, 100*h.duty)
	return strings.Join(s, ", ")
}

// host draws one.
func (l life) host() host {
	h := host{noise: l.scale(0.00005, 0.003), gaps: 0.01}
	if l.chance(0.8) {
		h.sweep, h.swept, h.saw = perHour, l.between(0.9, 1), l.scale(0.002, 0.4)
	}
	if l.chance(0.3) {
		h.rotate, h.log = int(l.scale(10, 120)), l.scale(0.002, 0.05)
	}
	if l.chance(0.6) {
		h.rhythm = l.between(0.1, 0.8)
	}
	if l.chance(0.5) {
		h.batches, h.pulls = l.between(0, 4), l.between(0, 6)
	}
	if l.chance(0.3) {
		h.bursts, h.duty = int(l.scale(6, 60)), l.between(0.2, 0.7)
	}
	return h
}

// run plays a host for so many ticks from a use of base. From tick begin on it
// fills by rate a tick, on the mean.
func (l life) run(h host, base float64, ticks, begin int, rate float64) trace {
	t := trace{what: h.String(), used: make([]float64, 0, ticks), begin: begin, full: ticks}
	kept, saw, log, temp, images, wander := base, 0.0, 0.0, 0.0, 0.0, 0.0
	phase, night := l.IntN(perDay), l.IntN(perDay)
	offset := l.IntN(perHour)
	var batchLeft, pullLeft int
	var batchRate, pullRate float64
	for i := range ticks {
		day := 1 + h.rhythm*math.Sin(2*math.Pi*float64(i+phase)/float64(perDay))
		pace := day
		if h.bursts > 0 {
			pace = 0
			if (i+offset)%h.bursts < max(1, int(h.duty*float64(h.bursts))) {
				pace = day * float64(h.bursts) / math.Max(1, math.Floor(h.duty*float64(h.bursts)))
			}
		}
		if i >= begin {
			kept += rate * pace
		}
		if h.sweep > 0 {
			saw += h.saw / float64(h.sweep) * pace
			if (i+offset)%h.sweep == 0 {
				saw *= 1 - h.swept
			}
		}
		if h.rotate > 0 {
			log += h.log / float64(h.rotate) * day
			if (i+offset)%h.rotate == 0 {
				log = 0
			}
		}
		switch {
		case batchLeft > 0:
			batchLeft--
			temp += batchRate
		case temp > 0:
			temp = 0
		case l.chance(h.batches / float64(perDay)):
			batchLeft = int(l.scale(5, 80))
			batchRate = l.scale(0.002, 0.08) / float64(batchLeft)
		}
		switch {
		case pullLeft > 0:
			pullLeft--
			images += pullRate
		case l.chance(h.pulls / float64(perDay)):
			pullLeft = 1 + l.IntN(5)
			pullRate = l.scale(0.002, 0.05) / float64(pullLeft)
		case (i+night)%perDay == 0:
			images = 0
		}
		wander = 0.7*wander + h.noise*l.NormFloat64()
		used := kept + saw + log + temp + images + wander
		if i >= begin && rate > 0 && used >= 1 {
			t.full = i
			t.used = append(t.used, 1)
			return t
		}
		if l.chance(h.gaps) {
			t.used = append(t.used, -1)
			continue
		}
		t.used = append(t.used, min(max(used, 0), 0.995))
	}
	return t
}

// fill draws a host that after a quiet time fills within 1 h to 48 h.
func (l life) fill() trace {
	for {
		h := l.host()
		begin := 0
		if l.chance(0.8) {
			begin = int(l.between(0, 30) * float64(perHour))
		}
		base, hours := l.between(0.1, 0.7), l.scale(1, 48)
		if base+h.saw > 0.85 {
			continue
		}
		lasts := int(hours * float64(perHour))
		t := l.run(h, base, begin+2*lasts, begin, (1-base)/float64(lasts))
		if after := t.full - t.begin; t.full < len(t.used) && after >= perHour && after <= 48*perHour {
			t.inodes = l.chance(0.3)
			t.what = fmt.Sprintf("fills in %v from %.0f%%, %s", time.Duration(after)*tick, 100*base, t.what)
			return t
		}
	}
}

// quiet draws a host that never fills, nor comes closer to it than 3 %.
func (l life) quiet(ticks int) trace {
	for {
		h := l.host()
		base := l.between(0.05, 0.9)
		if base+h.saw > 0.95 {
			continue
		}
		t := l.run(h, base, ticks, ticks, 0)
		if slices.Max(t.used) >= 0.97 {
			continue
		}
		t.inodes = l.chance(0.3)
		t.what = fmt.Sprintf("never fills from %.0f%%, %s", 100*base, t.what)
		return t
	}
}

// usage is what the kernel would say at one tick.
func (t trace) usage(i int) disk.Usage {
	const files = 1 << 23
	u := disk.Usage{Bytes: 100 * gib, Avail: 80 * gib, Inodes: files, InodesFree: files - files/10, BytesPercent: 20, InodesPercent: 10}
	left := 1 - t.used[i]
	if t.inodes {
		u.InodesFree, u.InodesPercent = uint64(left*files), 100*t.used[i]
	} else {
		u.Avail, u.BytesPercent = uint64(left*100*gib), 100*t.used[i]
	}
	u.Free = u.Avail
	return u
}
