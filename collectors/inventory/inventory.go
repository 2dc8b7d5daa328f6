package inventory

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A Snapshot is the picture at one moment. It is shared by all its readers and
// never changed: who needs another order or subset makes a copy.
type Snapshot struct {
	Seq        uint64    // counts replacements; 0 is the empty picture before the first
	At         time.Time // when the listing behind it was asked for
	Synced     bool      // a complete listing has been seen: an empty picture means an empty host
	Blind      string    // why the picture may be out of date; empty while it is current
	BlindSince time.Time // zero while it is current
	Engine     Engine
	Containers []Container // sorted by ID
}

// Container returns the container with this ID.
func (s Snapshot) Container(id ID) (Container, bool) {
	for _, c := range s.Containers {
		if c.ID == id {
			return c, true
		}
	}
	return Container{}, false
}

// ByAddress returns the container that has this address on a Docker network.
// Only containers that are up have one.
func (s Snapshot) ByAddress(addr netip.Addr) (Container, bool) {
	for _, c := range s.Containers {
		if slices.Contains(c.Addresses, addr) {
			return c, true
		}
	}
	return Container{}, false
}

// An Inventory is the hub. The zero value is ready: an empty, unsynced picture.
type Inventory struct {
	mu      sync.Mutex // guards the fields below
	now     Snapshot
	expired chan struct{} // closed when now is replaced; nil until somebody watches
}

// Replace puts a new picture in the place of the old one and wakes every
// reader. The inventory keeps s and what it points to: the caller must not
// change them afterwards. Seq is set here.
func (i *Inventory) Replace(s Snapshot) {
	i.mu.Lock()
	defer i.mu.Unlock()
	s.Seq = i.now.Seq + 1
	i.now = s
	if i.expired != nil {
		close(i.expired)
		i.expired = nil
	}
}

// Watch returns the present picture and a channel that is closed as soon as a
// newer one exists.
func (i *Inventory) Watch() (Snapshot, <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.expired == nil {
		i.expired = make(chan struct{})
	}
	return i.now, i.expired
}

// Snapshot returns the present picture, for readers who do not wait.
func (i *Inventory) Snapshot() Snapshot {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.now
}
