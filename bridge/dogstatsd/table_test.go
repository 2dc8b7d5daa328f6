package dogstatsd_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/berth-dev/berth/bridge/dogstatsd"
)

// The table is compared with Go's own map, over networks of many sizes, whose
// addresses differ in few bits.
func TestTheTableFindsWhoWasPutThere(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 100, 5000} {
		table, want := dogstatsd.NewTable(n/3), map[netip.Addr]int{}
		for i := range n {
			a := netip.AddrFrom4([4]byte{172, 17, byte(random.IntN(1 + n/200)), byte(random.IntN(256))})
			if i%5 == 0 {
				a = netip.AddrFrom16([16]byte{0xfd, 15: byte(random.IntN(256))})
			}
			table.Set(a, i)
			want[a] = i
		}
		for a, i := range want {
			if got := table.Get(a); got != i {
				t.Fatalf("of %d: %s leads to %d, want %d", n, a, got, i)
			}
			if a.Is4() {
				if mapped := netip.AddrFrom16(a.As16()); table.Get(mapped) != i {
					t.Fatalf("%s does not lead where %s does", mapped, a)
				}
			}
		}
		if got := table.Get(netip.MustParseAddr("10.0.0.1")); got != -1 {
			t.Errorf("of %d: an address that is not there leads to %d", n, got)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	table := dogstatsd.NewTable(200)
	for i := range 200 {
		table.Set(netip.AddrFrom4([4]byte{172, 17, 0, byte(i)}), i)
	}
	for i := 0; b.Loop(); i++ {
		table.Find(0xac110000 | uint32(i%200))
	}
}
