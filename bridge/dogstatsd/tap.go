package dogstatsd

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/berth-dev/berth/bridge/dogstatsd/line"
	"github.com/berth-dev/berth/collectors/inventory"
)

// A Filter says what a tap shows. An empty field lets everything pass.
type Filter struct {
	Container string // beginning of its ID
	Service   string
	Name      string // beginning of the metric's name; of lines only
	Datagrams bool   // whole datagrams as they came, instead of lines as they go
}

// Tapped is one line, or one datagram.
type Tapped struct {
	Time      time.Time
	Container inventory.ID
	Service   string
	Address   netip.Addr
	PID       int
	Bytes     []byte
}

// A Tap shows what passes. One that is read too slowly misses some, and holds
// nobody up.
type Tap struct {
	C      <-chan Tapped
	c      chan Tapped
	filter Filter
	missed atomic.Uint64
	relay  *Relay
}

// tapped is how many a tap holds for its reader.
const tapped = 4096

// Tap begins to show what passes a filter. It has to be closed.
func (r *Relay) Tap(f Filter) *Tap {
	c := make(chan Tapped, tapped)
	t := &Tap{C: c, c: c, filter: f, relay: r}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taps = append(r.taps, t)
	return t
}

// Missed is how many were not shown, because they were not read in time.
func (t *Tap) Missed() uint64 { return t.missed.Load() }

// Close ends a tap. Its channel stays open.
func (t *Tap) Close() {
	t.relay.mu.Lock()
	defer t.relay.mu.Unlock()
	t.relay.taps = slices.DeleteFunc(t.relay.taps, func(u *Tap) bool { return u == t })
}

func (t *Tap) wants(s *sender) bool {
	return strings.HasPrefix(string(s.origin.ID), t.filter.Container) && (t.filter.Service == "" || t.filter.Service == s.origin.Service)
}

func (t *Tap) show(r *Relay, s *sender, b []byte) {
	select {
	case t.c <- Tapped{Time: r.now, Container: s.origin.ID, Service: s.origin.Service, Address: s.from(), PID: s.origin.PID, Bytes: b}:
	default:
		t.missed.Add(1)
	}
}

func (r *Relay) tapDatagram(s *sender, d []byte) {
	for _, t := range r.taps {
		if t.filter.Datagrams && t.wants(s) {
			t.show(r, s, bytes.Clone(d))
		}
	}
}

func (r *Relay) tapLine(s *sender, m *line.Mark, ln []byte) {
	for _, t := range r.taps {
		if !t.filter.Datagrams && t.wants(s) && (t.filter.Name == "" || bytes.HasPrefix(line.Name(ln), []byte(t.filter.Name))) {
			t.show(r, s, bytes.TrimSuffix(m.Append(nil, ln), []byte("\n")))
		}
	}
}
