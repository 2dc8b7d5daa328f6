package ledger_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/ledger"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func id(n int) inventory.ID { return inventory.ID(fmt.Sprintf("%064x", n)) }

// listing is one of the given containers, taken minutes after noon.
func listing(minutes int, ids ...int) inventory.Listing {
	l := inventory.Listing{Taken: noon.Add(time.Duration(minutes) * time.Minute), Engine: inventory.Engine{RootDir: "/var/lib/docker"}}
	for _, n := range ids {
		l.Containers = append(l.Containers, inventory.Container{ID: id(n), Service: "orders"})
	}
	return l
}

func open(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestARemovedContainerIsGoneOnceAListingAgrees(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1, 2))
	l.Removed(id(1), noon.Add(time.Minute))
	if e := l.View().Entries[id(1)]; !e.Gone.IsZero() {
		t.Error("an event alone made it gone")
	}
	l.Listed(listing(2, 2))
	if e := l.View().Entries[id(1)]; e.How != ledger.Removed || !e.Gone.Equal(noon.Add(time.Minute)) {
		t.Errorf("entry is %+v, want removed a minute past noon", e)
	}
}

// J2: a container that a listing names is not gone, whatever was believed.
func TestJ2WhoIsListedIsAlive(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1, 2))
	l.Removed(id(1), noon)
	l.Listed(listing(1, 2))
	l.Listed(listing(2, 1, 2))
	if e := l.View().Entries[id(1)]; !e.Gone.IsZero() || !e.Missing.IsZero() {
		t.Errorf("entry is %+v, want one that exists", e)
	}
}

// J2: who vanishes without a word is unexplained, and gone only when listings
// have agreed for long enough: ten minutes, or a day if many vanish at once.
func TestJ2WhoVanishesIsNotGoneAtOnce(t *testing.T) {
	tests := map[string]struct {
		left        []int
		unexplained int
		goneAfter   int // minutes
	}{
		"one of six":   {[]int{1, 2, 3, 4, 5}, 1, 11},
		"three of six": {[]int{1, 2, 3}, 3, 24*60 + 1},
		"all of them":  {nil, 6, 24*60 + 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := open(t, filepath.Join(t.TempDir(), "ledger"))
			l.Listed(listing(0, 1, 2, 3, 4, 5, 6))
			l.Listed(listing(1, tt.left...))
			if got := len(l.View().Unexplained()); got != tt.unexplained {
				t.Errorf("%d unexplained at once, want %d", got, tt.unexplained)
			}
			l.Listed(listing(tt.goneAfter-1, tt.left...))
			if e := l.View().Entries[id(6)]; !e.Gone.IsZero() {
				t.Errorf("gone after %d minutes: %+v", tt.goneAfter-1, e)
			}
			l.Listed(listing(tt.goneAfter, tt.left...))
			if e := l.View().Entries[id(6)]; e.How != ledger.Vanished {
				t.Errorf("not gone after %d minutes: %+v", tt.goneAfter, e)
			}
		})
	}
}

func TestAShortListingIsCountedWhenTheContainersAreBack(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1, 2))
	l.Listed(listing(1, 2))
	l.Listed(listing(2, 1, 2))
	v := l.View()
	if v.Short != 1 || len(v.Unexplained()) != 0 {
		t.Errorf("short %d, unexplained %v; want 1 and none", v.Short, v.Unexplained())
	}
}

func TestAnotherDataRootSaysNothingOfThisOne(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1))
	other := listing(60)
	other.Engine.RootDir = "/mnt/docker"
	l.Listed(other)
	v := l.View()
	if v.Root != "/var/lib/docker" || len(v.Unexplained()) != 0 {
		t.Errorf("root %s, unexplained %v", v.Root, v.Unexplained())
	}
	if err := l.Pin("/mnt/docker"); err != nil {
		t.Fatal(err)
	}
	if root := l.View().Root; root != "/mnt/docker" {
		t.Errorf("root is %s after it was pinned", root)
	}
}

func TestALateEventExplains(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1, 2))
	l.Listed(listing(1, 2))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	explained := make(chan bool)
	go func() { explained <- l.Explained(ctx) }()
	l.Removed(id(1), noon.Add(time.Minute))
	if !<-explained {
		t.Error("the event came and nothing was explained")
	}
	if e := l.View().Entries[id(1)]; e.How != ledger.Removed {
		t.Errorf("entry is %+v, want removed", e)
	}
}

func TestAFoldersNameMeansItsContainers(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	a, b := inventory.ID("abcabcabcabc"+strings.Repeat("0", 52)), inventory.ID("abcabcabcabc"+strings.Repeat("1", 52))
	for _, id := range []inventory.ID{a, b} {
		l.Created(id, "orders", noon)
	}
	v := l.View()
	for name, want := range map[string]int{"abcabcabcabc": 2, string(a): 1, "ffffffffffff": 0} {
		if got := len(v.Named(name)); got != want {
			t.Errorf("%s means %d containers, want %d", name, got, want)
		}
	}
}

// What was noted is there after a restart; a line lost makes less known and
// nothing gone.
func TestTheLedgerOutlivesARestartAndALostLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := open(t, path)
	l.Listed(listing(0, 1, 2))
	l.Removed(id(1), noon)
	l.Listed(listing(1, 2))
	if err := l.Hold("/var/log/apps/orders/containers/abc", noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	want := l.View()
	_ = l.Close()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again := open(t, path).View()
	if e := again.Entries[id(1)]; e != want.Entries[id(1)] || len(again.Holds) != 1 || again.Root != want.Root {
		t.Errorf("after a restart %+v, want %+v", again, want)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for lost := range lines {
		part := strings.Join(append(append([]string{}, lines[:lost]...), lines[lost+1:]...), "")
		other := filepath.Join(t.TempDir(), "ledger")
		if err := os.WriteFile(other, []byte(part), 0o600); err != nil {
			t.Fatal(err)
		}
		for n, e := range open(t, other).View().Entries {
			if !e.Gone.IsZero() && want.Entries[n].Gone.IsZero() {
				t.Errorf("without line %d, %s is gone", lost, n.Short())
			}
		}
	}
}

// J2: an event about a container that a later listing names is not true, and
// is not believed when a listing is short after that.
func TestJ2AFalseEventIsTakenBack(t *testing.T) {
	for name, tell := range map[string]func(*ledger.Ledger){
		"before the listing": func(l *ledger.Ledger) {
			l.Removed(id(1), noon.Add(30*time.Second))
			l.Listed(listing(1, 1, 2))
		},
		"after the listing": func(l *ledger.Ledger) {
			l.Listed(listing(1, 1, 2))
			l.Removed(id(1), noon.Add(30*time.Second))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, filepath.Join(t.TempDir(), "ledger"))
			l.Listed(listing(0, 1, 2))
			tell(l)
			l.Listed(listing(2, 2)) // short
			if e := l.View().Entries[id(1)]; !e.Gone.IsZero() {
				t.Errorf("entry is %+v, want one that is only missing", e)
			}
		})
	}
}

// Events and listings reach the ledger by different ways and may overtake each
// other.
func TestAnEventMayBeOlderThanTheListingBeforeIt(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1))
	l.Listed(listing(2, 1)) // 2 came and went since the first
	l.Created(id(2), "orders", noon.Add(time.Minute))
	l.Removed(id(2), noon.Add(time.Minute+time.Second))
	l.Listed(listing(3, 1))
	if e := l.View().Entries[id(2)]; e.How != ledger.Removed {
		t.Errorf("entry is %+v, want removed", e)
	}
}

// J2: many that vanished at once are not believed sooner because others came.
func TestJ2AMassStaysAMassWhenTheHostFills(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1, 2, 3, 4, 5, 6))
	l.Listed(listing(1, 4, 5, 6))
	crowd := make([]int, 40)
	for i := range crowd {
		crowd[i] = i + 4
	}
	l.Listed(listing(20, crowd...))
	if e := l.View().Entries[id(1)]; !e.Gone.IsZero() {
		t.Errorf("gone after 20 minutes: %+v", e)
	}
	l.Listed(listing(24*60+1, crowd...))
	if e := l.View().Entries[id(1)]; e.How != ledger.Vanished {
		t.Errorf("not gone after a day: %+v", e)
	}
}

// J2: after the clock went back, what was noted for a time yet to come counts
// from now, and nobody waits for years.
func TestJ2AClockThatWentBackMakesNothingGoSooner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := open(t, path)
	const decade = 10 * 365 * 24 * 60
	l.Listed(listing(decade, 1, 2, 3))
	l.Removed(id(1), noon.Add(decade*time.Minute))
	l.Listed(listing(decade+1, 2, 3))
	l.Listed(listing(decade+2, 3))
	l.Listed(listing(0, 3))
	for range 2 {
		v := l.View()
		if now := noon; !v.ClockBack.Equal(now) || !v.Entries[id(1)].Gone.Equal(now) || !v.Entries[id(2)].Missing.Equal(now) || !v.Newest.Equal(now) {
			t.Errorf("the clock went back at %s, newest %s; %+v", v.ClockBack, v.Newest, v.Entries)
		}
		_ = l.Close()
		l = open(t, path)
	}
	l.Listed(listing(11, 3))
	if e := l.View().Entries[id(2)]; e.How != ledger.Vanished {
		t.Errorf("11 minutes on, the missing one is %+v", e)
	}
}

func TestTheLedgerForgetsAndStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := open(t, path)
	const containers, days, memory = 12_000, 300, 90
	service := strings.Repeat("orders", 80) // fills the journal sooner
	for n := range containers {
		at := noon.Add(time.Duration(n) * (days * 24 * time.Hour / containers))
		l.Created(id(n), service, at)
		l.Removed(id(n), at)
		if n%100 == 0 {
			l.Listed(inventory.Listing{Taken: at, Engine: inventory.Engine{RootDir: "/var/lib/docker"}})
		}
	}
	known := len(l.View().Entries)
	if info, err := os.Stat(path); err != nil || info.Size() > 16<<20 || known > containers*3/4 {
		t.Errorf("the journal has %d bytes for %d containers, %v", info.Size(), known, err)
	}
	_ = l.Close()
	if again := len(open(t, path).View().Entries); again > known || again < containers*memory/days {
		t.Errorf("%d containers are known after a restart, %d were before", again, known)
	}
}

// Events and listings reach the ledger by different ways: a listing that was
// asked for before an event says nothing against it.
func TestAListingThatIsOlderThanAnEventIsNotMisread(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1))
	l.Created(id(2), "orders", noon.Add(2*time.Minute))
	l.Removed(id(1), noon.Add(3*time.Minute))
	l.Listed(listing(1, 1)) // asked for before both
	v := l.View()
	if e := v.Entries[id(2)]; !e.Missing.IsZero() {
		t.Errorf("what was created after the listing is missing from it: %+v", e)
	}
	l.Listed(listing(4, 2))
	if e := l.View().Entries[id(1)]; e.How != ledger.Removed {
		t.Errorf("entry is %+v, want removed", e)
	}
}

func TestAnEventThatAListingRefutesDoesNotCount(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1, 2))
	l.Removed(id(1), noon)
	l.Listed(listing(1, 1, 2))
	l.Listed(listing(2, 2))
	if got := len(l.View().Unexplained()); got != 1 {
		t.Errorf("%d unexplained, want 1: its event was refuted", got)
	}
}

// After an event Docker is asked for the one container that changed. Of another,
// whose destroy event is still on its way, the answer says nothing.
func TestAListingThatWasNotAboutAContainerRefutesNothing(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	l.Listed(listing(0, 1, 2))
	partly := listing(2, 1, 2, 3)
	partly.Asked = map[inventory.ID]bool{id(3): true}
	l.Listed(partly)
	l.Removed(id(1), noon.Add(time.Minute)) // on a busy host it was heard late
	l.Listed(listing(3, 2, 3))
	if e := l.View().Entries[id(1)]; e.How != ledger.Removed {
		t.Errorf("entry is %+v, want removed", e)
	}
}
