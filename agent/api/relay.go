package api

import "time"

// RelayState is how the dogstatsd relay is doing.
type RelayState struct {
	Listen     string        `json:"listen"`    // as configured; off: there is no relay
	Addresses  []string      `json:"addresses"` // where it listens, best first
	Mode       string        `json:"mode"`      // how the upstream learns who sent a packet
	Why        string        `json:"why"`       // for which reason auto came to it
	Upstreams  []RelayOutlet `json:"upstreams"` // the fallback last
	Messages   uint64        `json:"messages"`
	Delivered  uint64        `json:"delivered"`
	Held       uint64        `json:"held"`
	Dropped    uint64        `json:"dropped"`
	Unresolved uint64        `json:"unresolved"` // of Delivered: went on without an origin
	Apart      string        `json:"apart"`      // containers that do not send by a bridge; empty: none
	Faults     []string      `json:"faults"`
}

// Relay is all that the relay has counted.
type Relay struct {
	State   RelayState    `json:"state"`
	Wait    time.Duration `json:"wait_ns"` // after the first datagram of a batch
	Total   RelayCount    `json:"total"`
	Senders []RelaySender `json:"senders"` // busiest first
	Sockets []RelaySocket `json:"sockets"`
}

// RelayCount is what came from one container, or from all, and what became of
// it. A message is a line that is not empty. Messages are those that were
// delivered, dropped and are held.
type RelayCount struct {
	Datagrams  uint64            `json:"datagrams"`
	Messages   uint64            `json:"messages"`
	Bytes      uint64            `json:"bytes"`
	Delivered  uint64            `json:"delivered"`
	Held       uint64            `json:"held"`
	Unresolved uint64            `json:"unresolved"`
	Dropped    map[string]uint64 `json:"dropped"` // by cause; of cause kernel: datagrams that nobody has read
}

// RelaySender is one container, or one address that no container has.
type RelaySender struct {
	Container string     `json:"container"` // empty: not a container's address
	Service   string     `json:"service"`
	Address   string     `json:"address"`
	Last      time.Time  `json:"last,omitzero"`
	Count     RelayCount `json:"count"`
}

// RelaySocket is one of those that listen on an address.
type RelaySocket struct {
	Address string `json:"address"`
	Buffer  int    `json:"buffer_bytes"` // granted by the kernel
	Dropped uint64 `json:"dropped"`      // datagrams
}

// RelayOutlet is one upstream.
type RelayOutlet struct {
	URL       string    `json:"url"`
	Up        bool      `json:"up"`
	Fault     string    `json:"fault"` // why not; empty while it is up, or has not been needed yet
	Since     time.Time `json:"since,omitzero"`
	Datagrams uint64    `json:"datagrams"`
	Messages  uint64    `json:"messages"`
	Bytes     uint64    `json:"bytes"`
	Dropped   uint64    `json:"dropped"`
	Held      int64     `json:"held_bytes"`
}

// RelayFilter says what of the relay's packets is shown or written. An empty
// field lets everything pass.
type RelayFilter struct {
	Container string `json:"container"` // beginning of its ID
	Service   string `json:"service"`
	Name      string `json:"name"` // beginning of the metric's name
}

// RelayLine is one line that passes the relay, as it goes to the upstream.
type RelayLine struct {
	Time      time.Time `json:"time"`
	Container string    `json:"container,omitempty"`
	Service   string    `json:"service,omitempty"`
	Address   string    `json:"address,omitempty"`
	Line      string    `json:"line"`             // empty: a sign of life
	Missed    uint64    `json:"missed,omitempty"` // lines so far that this reader was too slow for
}

// CaptureRequest asks for a capture of whole datagrams, as they came.
type CaptureRequest struct {
	Seconds   int    `json:"seconds"`   // from 1 to 600
	Container string `json:"container"` // beginning of its ID; empty: all
	Service   string `json:"service"`   // empty: all
}

// Capture is a file that the Datadog agent's dogstatsd-replay reads.
type Capture struct {
	Path      string `json:"path"`
	Datagrams uint64 `json:"datagrams"`
	Bytes     int64  `json:"bytes"`  // of the file
	Missed    uint64 `json:"missed"` // datagrams that could not be written in time
	Full      bool   `json:"full"`   // it ended before its time: the file has reached its limit
}

// Docker0 is where this host can be reached from Docker's bridges.
type Docker0 struct {
	Bridges []Bridge `json:"bridges"` // the relay's own interface first
	Stable  string   `json:"stable"`  // address on lo; empty: none is in place
	Use     []string `json:"use"`     // address:port that containers can send to, best first; empty: nobody listens
	File    string   `json:"file"`    // that tells applications the same; empty with Use
	Faults  []string `json:"faults"`
}

// Bridge is one of Docker's bridges.
type Bridge struct {
	Name      string   `json:"name"`
	Index     int      `json:"index"`
	Addresses []string `json:"addresses"`
	Up        bool     `json:"up"`
}

func (s *Server) relay(c *call) (Relay, error) { return s.Backend.Relay(c.ctx()), nil }

func (s *Server) docker0(c *call) (Docker0, error) { return s.Backend.Docker0(c.ctx()), nil }

func (s *Server) relayCapture(c *call, r CaptureRequest) (Capture, error) {
	if r.Seconds < 1 || r.Seconds > longestCapture {
		return Capture{}, BadRequest("seconds is a number from 1 to %d, not %d", longestCapture, r.Seconds)
	}
	return s.Backend.RelayCapture(c.ctx(), c.peer, r)
}

// longestCapture is in seconds.
const longestCapture = 600

// relayTap streams lines until the reader goes away or the daemon stops.
func (s *Server) relayTap(c *call) error {
	filter := RelayFilter{Container: c.query.Get("container"), Service: c.query.Get("service"), Name: c.query.Get("name")}
	lines, err := s.Backend.RelayTap(c.ctx(), filter, s.beat())
	if err != nil {
		return err
	}
	if more, err := c.begin(); err != nil || !more {
		return err
	}
	for l := range lines {
		if err := c.line(l); err != nil {
			return gone(err)
		}
	}
	return nil
}
