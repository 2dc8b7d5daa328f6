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
		began       int // when the container began that has the address now; none if nobody has it
		want        string
	}{
		"nobody had the address before":                  {0, 5, none, 0, "now"},
		"nobody had it, and nobody has it":               {0, 5, none, none, "nobody"},
		"it came after the end":                          {101, 105, 100, 0, "now"},
		"it came after the end, and nobody has it":       {101, 105, 100, none, "nobody"},
		"it was read just after the end":                 {98, 103, 100, 0, "before"},
		"the same, and nobody has it":                    {98, 103, 100, none, "before"},
		"it may be either's: we were stalled for long":   {98, 300, 100, 0, "nobody"},
		"it was read long after, and nobody has it":      {98, 300, 100, none, "nobody"},
		"it came before who has it now began":            {150, 155, 100, 200, "nobody"},
		"nobody had it, and it came before that":         {150, 155, none, 200, "nobody"},
		"it came when who has it now was just beginning": {180, 185, 100, 200, "now"},
		"who had it runs on, and somebody else is named": {98, 103, none, 0, "now"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at := func(ms int) time.Time {
				if ms == none {
					return time.Time{}
				}
				return time.Unix(1000, 0).Add(time.Duration(ms) * time.Millisecond)
			}
			if got := dogstatsd.Attribute(at(tt.after), at(tt.read), at(tt.ended), at(tt.began)); got != tt.want {
				t.Errorf("it is taken for %s's, want %s's", got, tt.want)
			}
		})
	}
}
