package inventory_test

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

func TestUnsyncedAndEmptyAreNotTheSame(t *testing.T) {
	var hub inventory.Inventory
	if s := hub.Snapshot(); s.Synced || s.Seq != 0 {
		t.Errorf("a new inventory is %+v, want unsynced", s)
	}
	hub.Replace(inventory.Snapshot{Synced: true})
	if s := hub.Snapshot(); !s.Synced || s.Seq != 1 || len(s.Containers) != 0 {
		t.Errorf("after an empty listing it is %+v, want synced and empty", s)
	}
}

// I1: one writer replaces whole pictures, and a reader that looks and then
// waits sees the last of them, however the two interleave.
func TestI1WatchMissesNoChange(t *testing.T) {
	const rounds = 10_000
	var hub inventory.Inventory
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			last := uint64(0)
			for last < rounds {
				s, changed := hub.Watch()
				if s.Seq < last {
					t.Errorf("went back from %d to %d", last, s.Seq)
					return
				}
				if last = s.Seq; last == rounds {
					return
				}
				select {
				case <-changed:
				case <-time.After(10 * time.Second):
					t.Errorf("waited in vain at %d", last)
					return
				}
			}
		})
	}
	for range rounds {
		hub.Replace(inventory.Snapshot{Synced: true})
	}
	readers.Wait()
}

func TestContainersAreFoundByIDAndAddress(t *testing.T) {
	addr := netip.MustParseAddr("172.17.0.2")
	s := inventory.Snapshot{Containers: []inventory.Container{
		{ID: "a", Service: "orders"},
		{ID: "b", Service: "billing", Addresses: []netip.Addr{addr}},
	}}
	if c, ok := s.ByAddress(addr); !ok || c.ID != "b" {
		t.Errorf("ByAddress(%s) = %v, %t; want b", addr, c.ID, ok)
	}
	if _, ok := s.ByAddress(netip.MustParseAddr("172.17.0.3")); ok {
		t.Error("an address that nobody has was found")
	}
	if c, ok := s.Container("a"); !ok || c.Service != "orders" {
		t.Errorf("Container(a) = %v, %t", c, ok)
	}
	if _, ok := s.Container("c"); ok {
		t.Error("an ID that nobody has was found")
	}
}

func TestIDsAreShortenedSafely(t *testing.T) {
	whole := inventory.ID("4f1c2d3e4a5b66778899aabbccddeeff00112233445566778899aabbccddeeff")
	tests := map[inventory.ID]struct {
		short string
		valid bool
	}{
		whole:                       {"4f1c2d3e4a5b", true},
		"4f1c":                      {"4f1c", false},
		"":                          {"", false},
		whole[:63] + "G":            {"4f1c2d3e4a5b", false},
		whole[:63]:                  {"4f1c2d3e4a5b", false},
		"4F1C2D3E4A5B" + whole[12:]: {"4F1C2D3E4A5B", false},
	}
	for id, want := range tests {
		if id.Short() != want.short || id.Valid() != want.valid {
			t.Errorf("%q: Short %q, Valid %t; want %q, %t", id, id.Short(), id.Valid(), want.short, want.valid)
		}
	}
}
