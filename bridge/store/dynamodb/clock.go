package dynamodb

import (
	"net/http"
	"sync/atomic"
	"time"
)

// tolerated is by how much a clock may differ before it is not believed: Date
// has whole seconds.
const tolerated = 2 * time.Second

// A clock learns the server's time from its answers. It implements
// [http.RoundTripper].
type clock struct {
	next   *http.Transport
	behind atomic.Int64 // ns that the host's clock is behind the server's
}

// RoundTrip implements [http.RoundTripper].
func (c *clock) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		c.learn(date.Add(time.Second/2), began.Add(time.Since(began)/2))
	}
	return answer, nil
}

// learn compares the server's time with the host's of the same moment.
func (c *clock) learn(server, host time.Time) {
	behind := server.Sub(host.Round(0))
	if behind.Abs() < tolerated {
		behind = 0
	}
	c.behind.Store(int64(behind))
}

// now is the server's time in milliseconds.
func (c *clock) now() int64 { return time.Now().Add(time.Duration(c.behind.Load())).UnixMilli() }
