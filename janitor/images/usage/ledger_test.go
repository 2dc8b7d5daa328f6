package usage_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images/usage"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// after is so many minutes past noon.
func after(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func imageID(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func image(n int, tags ...string) inventory.Image {
	return inventory.Image{ID: imageID(n), Tags: tags, Size: 100}
}

// container is one of a service, made so many minutes past noon from an image.
func container(n, of int, service string, minutes int) inventory.Container {
	return inventory.Container{
		ID: inventory.ID(fmt.Sprintf("%064x", n)), ImageID: imageID(of), Image: service + ":1",
		Service: service, State: inventory.Running, Created: after(minutes),
	}
}

func open(t testing.TB, path string) *usage.Ledger {
	t.Helper()
	l, err := usage.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// again is the ledger after a restart of Berth.
func again(t testing.TB, l *usage.Ledger, path string) *usage.Ledger {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

func want(t *testing.T, l *usage.Ledger, e usage.Entry) {
	t.Helper()
	if diff := cmp.Diff(e, l.View().Images[e.ID]); diff != "" {
		t.Errorf("of %s the ledger says (-want +got)\n%s", e.ID[len(e.ID)-4:], diff)
	}
}

func TestAnImageIsRememberedFromItsPullToItsLastUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	l.Listed([]inventory.Image{image(1, "orders:1")}, nil, after(0))
	want(t, l, usage.Entry{ID: imageID(1), Names: []string{"orders:1"}, Size: 100, Seen: after(0)})
	l.Pulled("orders:1", after(1), 7*time.Second)
	l.Running([]inventory.Container{container(1, 1, "orders", 2)}, after(3))
	l.Running([]inventory.Container{container(1, 1, "orders", 2), container(2, 1, "billing", 4)}, after(5))
	used := usage.Entry{
		ID: imageID(1), Names: []string{"orders:1"}, Size: 100, Seen: after(0), Pulled: after(1), Pull: 7 * time.Second,
		Used: after(5), InUse: true, Uses: 2, Starts: []time.Time{after(2), after(4)}, Services: map[string]int{"orders": 1, "billing": 1},
	}
	want(t, l, used)
	l.Running(nil, after(9)) // the last look at which they may have been there is this one
	used.Used, used.InUse = after(9), false
	want(t, l, used)
	want(t, again(t, l, path), used)
}

func TestWhatWasInUseWhenBerthEndedWasUsedUntilItIsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	l.Listed([]inventory.Image{image(1, "orders:1")}, nil, after(0))
	l.Running([]inventory.Container{container(1, 1, "orders", 0)}, after(1))
	l = again(t, l, path)
	l.Running(nil, after(600))
	e := l.View().Images[imageID(1)]
	if !e.Used.Equal(after(600)) || e.InUse || e.Uses != 1 {
		t.Errorf("the entry is %+v, want one that was used until the first look after the start", e)
	}
}

func TestAContainerOverARestartIsOneUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	l.Listed([]inventory.Image{image(1, "orders:1")}, nil, after(0))
	l.Running([]inventory.Container{container(1, 1, "orders", 0)}, after(1))
	l = again(t, l, path)
	l.Running([]inventory.Container{container(1, 1, "orders", 0), container(2, 1, "orders", 5)}, after(10))
	if e := l.View().Images[imageID(1)]; e.Uses != 2 || len(e.Starts) != 2 {
		t.Errorf("the entry is %+v, want two uses", e)
	}
}

func TestAnImageThatIsTaggedAnewKeepsItsMemory(t *testing.T) {
	l := usage.New()
	l.Listed([]inventory.Image{image(1, "orders:latest")}, nil, after(0))
	l.Running([]inventory.Container{container(1, 1, "orders", 0)}, after(1))
	l.Listed([]inventory.Image{image(1), image(2, "orders:latest")}, nil, after(2)) // the tag went to another
	e := l.View().Images[imageID(1)]
	if e.Uses != 1 || !slices.Equal(e.Names, []string{"orders:latest"}) || !e.Seen.Equal(after(0)) {
		t.Errorf("the entry is %+v, want the use, the first sight and the last name", e)
	}
	if e := l.View().Images[imageID(2)]; e.Uses != 0 || !e.Seen.Equal(after(2)) {
		t.Errorf("the newcomer's entry is %+v, want one without a use", e)
	}
}

func TestAnImageThatComesBackIsYoungAndKnown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	l.Listed([]inventory.Image{image(1, "orders:1")}, nil, after(0))
	l.Running([]inventory.Container{container(1, 1, "orders", 0)}, after(1))
	l.Running(nil, after(2))
	l.Listed(nil, nil, after(3))
	if e := l.View().Images[imageID(1)]; !e.Gone.Equal(after(3)) {
		t.Errorf("the entry is %+v, want one that is gone", e)
	}
	l.Pulled("orders:1", after(4), time.Second) // of an image that is gone nobody knows which this is
	l = again(t, l, path)
	l.Listed([]inventory.Image{image(1, "orders:1")}, nil, after(5))
	e := l.View().Images[imageID(1)]
	if !e.Gone.IsZero() || !e.Came().Equal(after(5)) || e.Uses != 1 || !e.Pulled.IsZero() {
		t.Errorf("the entry is %+v, want one that came again and was used once", e)
	}
}

func TestWhoRanIsRememberedByFamily(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	ecs := container(1, 1, "orders", 0)
	ecs.Family = "orders-task:211"
	side := container(2, 2, "sidecar", 0)
	side.Family, side.Image = ecs.Family, "envoy:3"
	stopped := container(3, 3, "batch", 0)
	stopped.State = inventory.Exited
	l.Running([]inventory.Container{ecs, side, stopped}, after(1))
	l = again(t, l, path)
	wanted := map[string]usage.Family{"orders-task": {Name: "orders-task", Refs: []string{"envoy:3", "orders:1"}, Ran: after(1)}}
	if diff := cmp.Diff(wanted, l.View().Families); diff != "" {
		t.Errorf("families (-want +got)\n%s", diff)
	}
}

func TestOnlyAnonymousVolumesAreRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	l.Listed(nil, []inventory.Volume{{Name: "a", Anonymous: true}, {Name: "data"}}, after(0))
	c := container(1, 1, "orders", 0)
	c.Mounts = []inventory.Mount{{Volume: "a"}, {Volume: "data"}}
	l.Running([]inventory.Container{c}, after(90))
	l.Running(nil, after(95))
	l = again(t, l, path)
	if diff := cmp.Diff(map[string]usage.Mounted{"a": {Name: "a", Seen: after(0), Used: after(90)}}, l.View().Volumes); diff != "" {
		t.Errorf("volumes (-want +got)\n%s", diff)
	}
}

// The file may be an hour behind what is in use all the time, and no more.
func TestWhatIsInUseAllTheTimeIsWrittenOnceAnHour(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	l.Listed([]inventory.Image{image(1, "orders:1")}, nil, after(0))
	running := []inventory.Container{container(1, 1, "orders", 0)}
	l.Running(running, after(0))
	size := lines(t, path)
	for minute := range 59 {
		l.Running(running, after(minute+1))
	}
	if now := lines(t, path); now != size {
		t.Errorf("within the hour %d lines were written, want none", now-size)
	}
	l.Running(running, after(61))
	if now := lines(t, path); now != size+2 {
		t.Errorf("past the hour %d lines were written, want one of the image and one of the family", now-size)
	}
}

func TestAnEntryHasBounds(t *testing.T) {
	l := usage.New()
	var running []inventory.Container
	for n := range 100 {
		running = append(running, container(n, 1, fmt.Sprint("service", n), n))
		l.Running(running, after(n))
	}
	e := l.View().Images[imageID(1)]
	if len(e.Starts) != 8 || !e.Starts[7].Equal(after(99)) || len(e.Services) != 16 || e.Uses != 100 {
		t.Errorf("%d starts, %d services, %d uses; want 8, 16, 100", len(e.Starts), len(e.Services), e.Uses)
	}
}

func TestAViewDoesNotChange(t *testing.T) {
	l := usage.New()
	l.Running([]inventory.Container{container(1, 1, "orders", 0)}, after(0))
	v := l.View()
	l.Running([]inventory.Container{container(1, 1, "orders", 0), container(2, 1, "orders", 1)}, after(2))
	l.Listed(nil, nil, after(3))
	if e := v.Images[imageID(1)]; e.Uses != 1 || len(e.Starts) != 1 || e.Services["orders"] != 1 || !e.Gone.IsZero() {
		t.Errorf("the view has become %+v", e)
	}
}

// J7: names that are taken from an image are on disk before they are taken.
func TestAMoveSurvivesACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	moves := []usage.Move{{ID: imageID(1), Names: []string{"a:1", "a:2"}}, {ID: imageID(2), Names: []string{"b:1"}}}
	if err := l.Move(moves...); err != nil {
		t.Fatal(err)
	}
	crashed := open(t, path) // the first has not closed anything
	if diff := cmp.Diff(moves, crashed.Moves()); diff != "" {
		t.Errorf("moves (-want +got)\n%s", diff)
	}
	if err := crashed.Move(usage.Move{ID: imageID(1), Done: true}); err != nil {
		t.Fatal(err)
	}
	if got := open(t, path).Moves(); len(got) != 1 || got[0].ID != imageID(2) {
		t.Errorf("moves are %+v, want that of the second image", got)
	}
}

func TestALineThatIsTornOrDamagedCostsNoOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	for n := range 3 {
		l.Listed([]inventory.Image{image(1, "orders:1"), image(2, fmt.Sprint("b:", n))}, nil, after(n))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	text := content(t, path)
	damaged := append(bytes.Replace(text, []byte("orders:1"), []byte("orders:2"), 1), text[:40]...)
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	l = open(t, path)
	if _, ok := l.View().Images[imageID(1)]; ok {
		t.Error("a damaged line was believed")
	}
	if e := l.View().Images[imageID(2)]; !slices.Equal(e.Names, []string{"b:2"}) {
		t.Errorf("the entry of the other image is %+v", e)
	}
	l.Listed([]inventory.Image{image(1, "orders:1")}, nil, after(9))
	if e := again(t, l, path).View().Images[imageID(1)]; !e.Seen.Equal(after(9)) {
		t.Errorf("after the torn line the entry is %+v", e)
	}
}

func TestTheFileIsWrittenAnewWithoutWhatIsForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images")
	l := open(t, path)
	l.Listed([]inventory.Image{image(1, "old:1")}, nil, noon.AddDate(0, 0, -100))
	l.Listed(nil, nil, noon.AddDate(0, 0, -99))
	if err := l.Move(usage.Move{ID: imageID(5), Names: []string{"open:1"}}); err != nil {
		t.Fatal(err)
	}
	running, tags := []inventory.Container{container(1, 3, "orders", 0)}, []string{"a:1", "a:2"}
	for n := range 40_000 {
		l.Listed([]inventory.Image{image(2, tags[n%2]), image(3, "orders:1")}, nil, after(n))
		l.Running(running, after(n))
	}
	if n := lines(t, path); n >= 40_000 {
		t.Errorf("the file has %d lines, one for every change", n)
	}
	before := l.View()
	if _, ok := before.Images[imageID(1)]; ok {
		t.Error("what has been gone for 99 days is remembered")
	}
	l = again(t, l, path)
	if diff := cmp.Diff(before.Images[imageID(2)], l.View().Images[imageID(2)]); diff != "" {
		t.Errorf("the file has another word than the ledger had (-ledger +file)\n%s", diff)
	}
	if got := l.Moves(); len(got) != 1 || !slices.Equal(got[0].Names, []string{"open:1"}) {
		t.Errorf("moves are %+v, want the one that has not ended", got)
	}
	if e := l.View().Images[imageID(3)]; e.Uses != 1 || !e.InUse {
		t.Errorf("the entry of what runs is %+v", e)
	}
}

func TestRepositoryIsTheNameWithoutTagAndDigest(t *testing.T) {
	for name, want := range map[string]string{
		"orders": "orders", "orders:1": "orders", "host:5000/orders": "host:5000/orders", "host:5000/a/orders:1": "host:5000/a/orders",
		"orders@sha256:12": "orders", "host:5000/orders:1@sha256:12": "host:5000/orders",
	} {
		if got := usage.Repository(name); got != want {
			t.Errorf("the repository of %s is %q, want %q", name, got, want)
		}
	}
}

// Whatever is in the file, it opens, and what is noted then is there after.
func FuzzLedgerOpensWhateverTheFileHolds(f *testing.F) {
	path := filepath.Join(f.TempDir(), "images")
	l := open(f, path)
	l.Listed([]inventory.Image{image(1, "orders:1")}, []inventory.Volume{{Name: "a", Anonymous: true}}, after(0))
	l.Running([]inventory.Container{container(1, 1, "orders", 0)}, after(1))
	if err := l.Move(usage.Move{ID: imageID(1), Names: []string{"orders:1"}}); err != nil {
		f.Fatal(err)
	}
	text := content(f, path)
	f.Add(text)
	f.Add(text[:len(text)-7])
	f.Add([]byte("\n\n{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "images")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, path)
		l.Listed([]inventory.Image{image(9, "fuzz:1")}, nil, after(0))
		if e := again(t, l, path).View().Images[imageID(9)]; e.Size != 100 {
			t.Errorf("the entry is %+v", e)
		}
	})
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text[:bytes.LastIndexByte(text, '\n')+1] // without the room set aside
}

func lines(t testing.TB, path string) int {
	t.Helper()
	return bytes.Count(content(t, path), []byte("\n"))
}
