package dogstatsd_test

import (
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/dogstatsd"
)

// An early datagram arrived between the moment when its queue was known to be
// empty and the one when it was read. The container that had the address before
// ended at 100 ms.
func TestAnEarlyDatagramIsWhoseItMustBe(t *testing.T) {
	const none = -1
	tests := map[string]struct {
		after, read int // milliseconds
		ended       int
		has         bool // somebody has the address now
		want        string
	}{
		"nobody had the address before":                  {0, 5, none, true, "now"},
		"nobody had it, and nobody has it":               {0, 5, none, false, "nobody"},
		"it came after the end":                          {101, 105, 100, true, "now"},
		"it came after the end, and nobody has it":       {101, 105, 100, false, "nobody"},
		"it was read just after the end":                 {98, 103, 100, true, "before"},
		"the same, and nobody has it":                    {98, 103, 100, false, "before"},
		"it may be either's: we were stalled for long":   {98, 300, 100, true, "nobody"},
		"it was read long after, and nobody has it":      {98, 300, 100, false, "nobody"},
		"who had it runs on, and somebody else is named": {98, 103, none, true, "now"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at := func(ms int) time.Time {
				if ms == none {
					return time.Time{}
				}
				return time.Unix(1000, 0).Add(time.Duration(ms) * time.Millisecond)
			}
			if got := dogstatsd.Attribute(at(tt.after), at(tt.read), at(tt.ended), tt.has); got != tt.want {
				t.Errorf("it is taken for %s's, want %s's", got, tt.want)
			}
		})
	}
}
