package dogstatsd

import (
	"maps"
	"os"
	"sync"
	"testing"
	"time"
)

// Options are where a receiver listens, and how.
type Options struct {
	Network     string        // udp, unixgram, unix (a stream)
	Address     string        // a path; for udp host:port, empty for some port of 127.0.0.1
	Buffer      int           // asked for with SO_RCVBUF; 0: the kernel's default
	Credentials bool          // SO_PASSCRED: ask for the sender's process ID; unixgram and unix
	Delay       time.Duration // after each datagram; see [Receiver.Slow]
	Keep        bool          // see [Receiver.Datagrams]
}

// Counts are what a receiver got since it was made.
type Counts struct {
	Datagrams int
	Messages  int // lines that are not empty, parsed or not
	Bytes     int
	Cut       int // datagrams of more than 8192 bytes, of which the agent would have lost the end
	Unended   int // datagrams without a newline at their end
	Errors    int // lines that do not parse
	LastError error

	ByName      map[string]int
	ByTag       map[string]int
	ByContainer map[string]int // messages by their c: field, whole: "ci-4f1c…"
	ByPID       map[int]int    // messages by the sender's process ID, where credentials came
}

// A Datagram is one as it came; of a stream, one frame.
type Datagram struct {
	PID     int // of the sender; 0: no credentials came
	Payload string
}

// A Receiver is a dogstatsd server that counts.
type Receiver struct {
	options Options

	mu     sync.Mutex // guards the fields below
	counts Counts
	kept   []Datagram
	delay  time.Duration
	socket *socket // nil while stopped
}

// Listen starts a receiver, which is stopped when the test ends.
func Listen(t testing.TB, o Options) *Receiver {
	t.Helper()
	if o.Network == "udp" && o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	r := &Receiver{options: o, delay: o.Delay, counts: Counts{
		ByName: map[string]int{}, ByTag: map[string]int{}, ByContainer: map[string]int{}, ByPID: map[int]int{},
	}}
	r.Start(t)
	t.Cleanup(r.Stop)
	return r
}

// Address returns where the receiver listens, with the port that it got.
func (r *Receiver) Address() string { return r.options.Address }

// URL returns the address as a setting of the relay has it.
func (r *Receiver) URL() string { return r.options.Network + "://" + r.options.Address }

// Start listens again after Stop, on the same port or path. What stands on the
// path is unlinked first, as the agent does.
func (r *Receiver) Start(t testing.TB) {
	t.Helper()
	if r.options.Network != "udp" {
		if err := os.Remove(r.options.Address); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	s, err := open(r.options)
	if err != nil {
		t.Fatalf("listen on %s: %v", r.URL(), err)
	}
	r.options.Address = s.address
	r.mu.Lock()
	r.socket = s
	r.mu.Unlock()
	s.start(r.take)
}

// Stop closes the socket, and returns when nothing more is counted. What the
// kernel still held is lost, and a path stays, as after a kill.
func (r *Receiver) Stop() {
	r.mu.Lock()
	s := r.socket
	r.socket = nil
	r.mu.Unlock()
	if s != nil {
		s.stop()
	}
}

// Slow sets how long the receiver does nothing after each datagram from now
// on. An hour makes one that hangs.
func (r *Receiver) Slow(delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = delay
	if r.socket != nil {
		r.socket.rouse()
	}
}

// Counts returns a copy of what was counted.
func (r *Receiver) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts
	c.ByName, c.ByTag = maps.Clone(c.ByName), maps.Clone(c.ByTag)
	c.ByContainer, c.ByPID = maps.Clone(c.ByContainer), maps.Clone(c.ByPID)
	return c
}

// Datagrams returns what came, in its order, if Options.Keep was set.
func (r *Receiver) Datagrams() []Datagram {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Datagram(nil), r.kept...)
}

// Wait returns when the counts are as wanted, and fails the test when they are
// not within 15 seconds.
func (r *Receiver) Wait(t testing.TB, what string, wanted func(Counts) bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		if wanted(r.Counts()) {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			tick.Stop()
			t.Fatalf("%s did not come to %s: %+v", what, r.URL(), r.Counts())
		}
	}
}
