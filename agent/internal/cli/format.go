package cli

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/docker/go-units"
)

// size shows bytes: 512B, 1.8GiB. A negative number was not measured.
func size[N int64 | uint64 | int](n N) string {
	if n < 0 {
		return ""
	}
	steps := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	return strings.Replace(units.CustomSize("%.1f%s", float64(n), 1024, steps), ".0", "", 1)
}

// plural names a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// percent shows a share of 100.
func percent(p float64) string { return fmt.Sprintf("%.0f%%", p) }

// duration shows about two digits of a duration: 12ms, 1.2s, 48s, 3m12s, 14m,
// 9h, 3d4h.
func duration(d time.Duration) string {
	switch d = max(d, 0); {
	case d == 0:
		return "0s"
	case d < time.Second:
		return fmt.Sprintf("%dms", max(d.Milliseconds(), 1))
	case d < 10*time.Second:
		return strings.Replace(fmt.Sprintf("%.1fs", math.Floor(d.Seconds()*10)/10), ".0", "", 1)
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 10*time.Minute:
		return pair(d, time.Minute, "m", time.Second, "s")
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 10*time.Hour:
		return pair(d, time.Hour, "h", time.Minute, "m")
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d < 10*24*time.Hour:
		return pair(d, 24*time.Hour, "d", time.Hour, "h")
	default:
		return fmt.Sprintf("%dd", int(d.Hours())/24)
	}
}

// pair shows a duration in two units, or in the greater one if that is all.
func pair(d, great time.Duration, greatName string, small time.Duration, smallName string) string {
	s := fmt.Sprintf("%d%s", d/great, greatName)
	if rest := d % great / small; rest > 0 {
		s += fmt.Sprintf("%d%s", rest, smallName)
	}
	return s
}

// moment shows a time: how far away it is on a screen, in full elsewhere. A
// zero time shows as nothing.
func (p *page) moment(t time.Time) string {
	switch d := p.now.Sub(t); {
	case t.IsZero():
		return ""
	case !p.screen:
		return t.UTC().Format(time.RFC3339)
	case d.Abs() < time.Second && d >= 0:
		return "just now"
	case d < 0:
		return "in " + duration(-d)
	default:
		return duration(d) + " ago"
	}
}

// within tells how long there is until t: "within 58m", or "until 2026-…".
func (p *page) within(t time.Time) string {
	if p.screen {
		return "within " + duration(t.Sub(p.now))
	}
	return "until " + t.UTC().Format(time.RFC3339)
}

// clock shows the time of day on a screen, in the reader's zone, and the whole
// time elsewhere.
func (p *page) clock(t time.Time) string {
	if p.screen {
		return t.In(p.now.Location()).Format(time.TimeOnly)
	}
	return t.UTC().Format(time.RFC3339)
}

// short is an ID as people write it.
func short(id string) string {
	if len(id) != 64 || strings.Trim(id, "0123456789abcdef") != "" {
		return id
	}
	return id[:12]
}
