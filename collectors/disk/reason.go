package disk

import (
	"fmt"
	"strings"
	"time"
)

// reason says in a sentence what a level rests on:
//
//	/var/log/apps is 86.2 % full, 1.2GiB left; full in about 25m at 0.8MiB/s; high from 85 % until below 70 %
func reason(path string, u Usage, f Forecast, level Level, limits Limits) string {
	var b strings.Builder
	if u.InodesPercent > u.BytesPercent {
		fmt.Fprintf(&b, "%s has %.1f %% of its inodes in use, %d left", path, u.InodesPercent, u.InodesFree)
	} else {
		fmt.Fprintf(&b, "%s is %.1f %% full, %s left", path, u.BytesPercent, size(float64(u.Avail)))
	}
	switch {
	case f.Full == 0:
	case f.Resource == Inodes:
		fmt.Fprintf(&b, "; out of inodes in about %s at %.1f/s", about(f.Full), f.Rate)
	default:
		fmt.Fprintf(&b, "; full in about %s at %s/s", about(f.Full), size(f.Rate))
	}
	switch level {
	case Emergency:
		fmt.Fprintf(&b, "; emergency from %g %%", limits.Emergency)
	case High:
		fmt.Fprintf(&b, "; high from %g %% until below %g %%", limits.High, limits.Low)
	}
	return b.String()
}

// size is a number of bytes in the unit that suits it, as 1.2GiB.
func size(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for ; n >= 1024 && i < len(units)-1; i++ {
		n /= 1024
	}
	if i == 0 {
		return fmt.Sprintf("%.0fB", n)
	}
	return fmt.Sprintf("%.1f%s", n, units[i])
}

// about is a time to the minute, or to the hour if it is more than a day.
func about(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "1m"
	case d < time.Hour:
		return fmt.Sprintf("%.0fm", d.Minutes())
	case d < 24*time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%.0fh", d.Hours())
}
