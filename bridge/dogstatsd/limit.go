package dogstatsd

import (
	"bytes"
	"time"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
)

// A limit is what one container may send.
type limit struct {
	tokens   float64 // messages that it may still send now
	filled   time.Time
	contexts map[uint64]struct{} // seen in this minute
	minute   time.Time
	blocked  [][]byte // beginnings of names
}

// take reports whether n messages may pass. A datagram passes whole or not at
// all: what it has too many is owed.
func (l *limit) take(n, rate int, now time.Time) bool {
	if l.filled.IsZero() {
		l.tokens = float64(rate)
	} else {
		l.tokens = min(l.tokens+now.Sub(l.filled).Seconds()*float64(rate), float64(rate))
	}
	l.filled = now
	if l.tokens <= 0 {
		return false
	}
	l.tokens -= float64(n)
	return true
}

// context reports whether a line's context may pass: one that was seen in this
// minute, or a new one while there are not too many.
func (l *limit) context(ln []byte, most int, now time.Time) bool {
	if l.contexts == nil || now.Sub(l.minute) >= time.Minute {
		if l.contexts == nil {
			l.contexts = map[uint64]struct{}{}
		}
		clear(l.contexts)
		l.minute = now
	}
	context := line.Context(ln)
	if _, seen := l.contexts[context]; seen {
		return true
	}
	if len(l.contexts) >= most {
		return false
	}
	l.contexts[context] = struct{}{}
	return true
}

// blocks reports whether a line's name begins with something that is blocked.
func (l *limit) blocks(ln []byte) bool {
	if len(l.blocked) == 0 {
		return false
	}
	name := line.Name(ln)
	for _, beginning := range l.blocked {
		if bytes.HasPrefix(name, beginning) {
			return true
		}
	}
	return false
}
