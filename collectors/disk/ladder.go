package disk

import (
	"cmp"
	"time"
)

// A Level is how short of space a file system is.
type Level int

// The levels, each worse than the one before.
const (
	Normal    Level = iota
	Soon            // it will be full within the lead time
	High            // nearly full, or was and has not yet come down to the low mark
	Emergency       // full, or as good as
)

// String is the level as it is shown: normal, forecast, high, emergency.
func (l Level) String() string {
	return [...]string{"normal", "forecast", "high", "emergency"}[l]
}

// Limits say where the levels begin and end, in percent of bytes or inodes,
// whichever is worse. High is above Low, and Emergency above High.
type Limits struct {
	Low, High, Emergency float64
	Lead                 time.Duration // how long before it is full a forecast counts; zero: 1 h
}

const (
	defaultLead = time.Hour
	relief      = 1 // percent below the emergency mark at which an emergency ends
	calm        = 4 // samples without a forecast that end the level
)

// A Ladder turns use and forecast into a level, with hysteresis: a level that
// has been reached does not end at the mark where it began. Limits are
// required.
type Ladder struct {
	Limits
	level Level
	quiet int // samples since the last forecast worth its name
}

// Step takes a sample and returns the level after it.
//
//   - Emergency begins at its mark, which nothing left always reaches, and ends
//     a percent below it or at the high mark.
//   - High begins at its mark, and ends below the low one. An emergency that
//     ends is High.
//   - Soon begins with a forecast within the lead time, and ends after four
//     samples without one within twice that.
func (l *Ladder) Step(u Usage, f Forecast) Level {
	l.level = max(l.byUse(u.Worst()), l.byForecast(f))
	return l.level
}

func (l *Ladder) byUse(worst float64) Level {
	switch {
	case worst >= l.Emergency, l.level == Emergency && worst >= max(l.Emergency-relief, l.High):
		return Emergency
	case worst >= l.High, l.level >= High && worst >= l.Low:
		return High
	}
	return Normal
}

func (l *Ladder) byForecast(f Forecast) Level {
	lead := cmp.Or(l.Lead, defaultLead)
	l.quiet++
	if f.Full > 0 && f.Full <= 2*lead {
		l.quiet = 0
	}
	if f.Full > 0 && f.Full < lead || l.level == Soon && l.quiet < calm {
		return Soon
	}
	return Normal
}
