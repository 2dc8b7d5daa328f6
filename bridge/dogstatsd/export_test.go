package dogstatsd

import (
	"net/netip"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// Pace is how long batches gather.
type Pace struct{ pace }

// NewPace makes one for a buffer of so many bytes.
func NewPace(room int) *Pace { return &Pace{pace{wait: mostWait, room: room}} }

// Batch is one of n datagrams of a size.
func (p *Pace) Batch(now time.Time, n, size int) {
	p.begin(now)
	p.read(n * (overhead + size))
	p.end()
}

// Wait is for how long the next one gathers.
func (p *Pace) Wait() time.Duration { return p.wait }

// Table is a table of numbers.
type Table struct {
	*table
}

// NewTable makes one for so many addresses.
func NewTable(n int) *Table { return &Table{table: newTable(n)} }

// Set puts a number behind an address.
func (t *Table) Set(a netip.Addr, n int) {
	s := &sender{messages: uint64(n)}
	t.set(a, s)
}

// Get returns it, or -1.
func (t *Table) Get(a netip.Addr) int {
	if s := t.get(a); s != nil {
		return int(s.messages)
	}
	return -1
}

// Find looks an IPv4 address up as the relay does.
func (t *Table) Find(a uint32) bool { return t.find(source{v4: a, is4: true}) != nil }

// Owner is who had an address at that time; empty: nobody.
func (r *Relay) Owner(a netip.Addr, at time.Time) inventory.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.owner(a, at.UnixNano()); s != nil {
		return s.origin.ID
	}
	return ""
}
