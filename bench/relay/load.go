package relay

import (
	"fmt"
	"strings"
	"time"
)

// A Load is what is sent in one round.
type Load struct {
	Name    string
	Rate    int           // datagrams a second, of all senders together
	Tick    time.Duration // how often some are sent; those of a tick go at once
	Lines   int           // metrics in a datagram
	Senders int           // addresses that it comes from
	Victim  bool          // beside, from the last container, one datagram named victim a millisecond
	Span    time.Duration
	Port    int
}

// The loads. A metric has 60 to 100 bytes; 17 of them make 1,400.
func steady() Load {
	return Load{Name: "20k", Rate: 20_000, Tick: 50 * time.Microsecond, Lines: 1, Senders: containers}
}

func bursts() Load {
	return Load{Name: "100k", Rate: 100_000, Tick: time.Millisecond, Lines: 1, Senders: containers}
}

func large() Load {
	return Load{Name: "1400", Rate: 8_000, Tick: 125 * time.Microsecond, Lines: 17, Senders: containers}
}

func many() Load {
	return Load{Name: "64", Rate: 20_000, Tick: 50 * time.Microsecond, Lines: 1, Senders: containers * quiet}
}

func flood() Load {
	return Load{Name: "flood", Rate: 300_000, Tick: time.Millisecond, Lines: 1, Senders: 1, Victim: true}
}

// kinds is how many datagrams differ from each other.
const kinds = 64

// payloads are the datagrams of a load, with names that begin as given.
func payloads(lines int, prefix string) [][]byte {
	all := make([][]byte, kinds)
	for n := range all {
		var b strings.Builder
		for l := range lines {
			if l > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(metric(prefix, n*lines+l, lines > 1))
		}
		all[n] = []byte(b.String())
	}
	return all
}

// metric is one of 60 to 100 bytes, or of 81 where many go into a datagram.
func metric(prefix string, n int, even bool) string {
	length := 60 + n*7%41
	if even {
		length = 81
	}
	s := fmt.Sprintf("%s.request.time%d:%d|ms|#env:prod,zone:b,handler:", prefix, n%10, 100+n%900)
	return s + strings.Repeat("x", max(0, length-len(s)))
}
