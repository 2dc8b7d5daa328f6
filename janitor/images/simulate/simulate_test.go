package simulate_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images/simulate"
)

var update = flag.Bool("update", false, "write the fixture anew")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A trace in the making.
type trace []simulate.Event

// built adds an image of layers of 50 MB, which take a second to pull.
func (t *trace) built(image string, layers ...string) {
	e := simulate.Event{At: noon, Kind: simulate.Built, Image: image}
	for _, l := range layers {
		e.Layers = append(e.Layers, inventory.Layer{Chain: l, Size: 50e6})
	}
	*t = append(*t, e)
}

// ran adds a container that ran for a minute, so many hours past noon.
func (t *trace) ran(image string, hours int) {
	at := noon.Add(time.Duration(hours) * time.Hour)
	container := image + at.String()
	*t = append(*t, simulate.Event{At: at, Kind: simulate.Started, Image: image, Container: container, Service: "s"},
		simulate.Event{At: at.Add(time.Minute), Kind: simulate.Stopped, Container: container})
}

func TestAPullBringsOnlyTheLayersThatAreMissing(t *testing.T) {
	var tr trace
	tr.built("a:1", "base", "a1")
	tr.built("a:2", "base", "a2")
	tr.ran("a:1", 0)
	tr.ran("a:2", 1)
	tr.ran("a:1", 2)
	r := simulate.Replay(tr, simulate.Policy{Way: simulate.Nothing})
	if r.Pulls != 2 || r.Seconds != 3+2 || r.Again != 0 || r.Peak != 150e6 {
		t.Errorf("%d pulls, %v s, %v s of them again, %d bytes at the peak; want 2, 5, 0, 150 MB", r.Pulls, r.Seconds, r.Again, r.Peak)
	}
}

func TestTheLeastRecentlyUsedGoesFirst(t *testing.T) {
	var tr trace
	for _, image := range []string{"a:1", "b:1", "c:1"} {
		tr.built(image, image)
	}
	for n, image := range []string{"a:1", "b:1", "a:1", "c:1", "a:1", "b:1"} {
		tr.ran(image, n)
	}
	r := simulate.Replay(tr, simulate.Policy{Way: simulate.LRU, Capacity: 120e6})
	if r.Pulls != 4 || r.Removed != 2 || r.Again != 2 {
		t.Errorf("%d pulls, %d removed, %v s of pulling again; want 4, 2, 2: b goes for c, and comes back for a", r.Pulls, r.Removed, r.Again)
	}
}

// By when it was built, an image goes however often it is used.
func TestByAgeWhatIsUsedDailyGoesDaily(t *testing.T) {
	var tr trace
	tr.built("a:1", "a")
	for n := range 5 {
		tr.ran("a:1", 24*n)
		tr.ran("a:1", 24*n+12)
	}
	r := simulate.Replay(tr, simulate.Policy{Way: simulate.Age, Until: 24 * time.Hour})
	if r.Pulls < 4 {
		t.Errorf("%d pulls, want one nearly every day", r.Pulls)
	}
}

// A job that is due stays where an image that was only used later goes.
func TestThePlannerKeepsTheJobThatIsDue(t *testing.T) {
	var tr trace
	tr.built("job:1", "job")
	for _, image := range []string{"x:1", "x:2", "x:3", "x:4"} {
		tr.built(image, image)
	}
	for n := range 5 {
		tr.ran("job:1", 24*n)
		tr.ran([]string{"x:1", "x:2", "x:3", "x:4", "x:4"}[n], 24*n+12)
	}
	ours := simulate.Replay(tr, simulate.Policy{Way: simulate.Ours, Capacity: 120e6})
	if ours.Pulls != 5 || ours.Over != 0 {
		t.Errorf("%d pulls, %d times over the capacity; want each image once: %+v", ours.Pulls, ours.Over, ours)
	}
}

func TestAWorkloadGivesOneTraceThatCanBeReadBack(t *testing.T) {
	w := simulate.Workload{Seed: 7, Days: 3, Services: 5}
	made := simulate.Generate(w)
	var text bytes.Buffer
	if err := simulate.Write(&text, made); err != nil {
		t.Fatal(err)
	}
	read, err := simulate.Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(simulate.Generate(w), read); diff != "" {
		t.Errorf("the trace that was read is another (-made +read)\n%s", diff)
	}
	p := simulate.Policy{Way: simulate.Ours, Capacity: 2e9}
	if diff := cmp.Diff(simulate.Replay(made, p), simulate.Replay(read, p)); diff != "" {
		t.Errorf("replayed twice (-first +second)\n%s", diff)
	}
}

func TestABadTraceIsRefusedByItsLine(t *testing.T) {
	const built = `{"at":"2026-11-23T12:00:00Z","kind":"built","image":"a:1","layers":[{"Chain":"a","Size":1}]}` + "\n"
	const started = `{"at":"2026-11-23T12:00:00Z","kind":"started","image":"a:1","container":"c"}` + "\n"
	for bad, want := range map[string]string{
		"{":                       "line 1",
		built + built:             "line 2: image a:1 was built before",
		started:                   "line 1: image a:1 was not built",
		built + started + started: `line 3: container "c" was started before`,
		built + `{"at":"2026-11-23T12:00:00Z","kind":"stopped","container":"d"}`:      `line 2: container "d" is not running`,
		built + `{"at":"2026-11-23T11:00:00Z","kind":"stopped","container":"d"}`:      "before the event above it",
		`{"at":"2026-11-23T12:00:00Z","kind":"built","image":"a:1"}`:                  "has no layers",
		`{"at":"2026-11-23T12:00:00Z","kind":"dreamt","image":"a:1","container":"c"}`: `nothing is called "dreamt"`,
		`{"at":"2026-11-23T12:00:00Z","kind":"built"}`:                                "it names no image",
	} {
		if _, err := simulate.Read(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", bad, err, want)
		}
	}
}

// A host's trace that was kept: four days of a small one.
func TestTheFixtureIsReplayed(t *testing.T) {
	const path = "testdata/trace.jsonl"
	if *update {
		var text bytes.Buffer
		if err := simulate.Write(&text, simulate.Generate(simulate.Workload{Seed: 1, Days: 4, Services: 6})); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	read, err := simulate.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	none := simulate.Replay(read, simulate.Policy{Way: simulate.Nothing})
	least := simulate.Replay(read, simulate.Policy{Way: simulate.LRU, Capacity: 1})
	if none.Again != 0 || none.Removed != 0 || least.Again == 0 || least.Mean >= none.Mean {
		t.Errorf("with everything kept %+v, with nothing kept %+v", none, least)
	}
}

// The planner pulls no more than another way at the same disk use; with room
// for three times what is in use it saves most of what can be saved.
func TestThePlannerPullsLeast(t *testing.T) {
	seed := uint64(1)
	t.Logf("seed %d", seed)
	r := simulate.Compare(simulate.Generate(simulate.Workload{Seed: seed, Days: 14, Services: 14}), nil)
	var table bytes.Buffer
	if err := r.Table(&table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	for _, way := range []simulate.Way{simulate.LRU, simulate.Age} {
		savings := r.Savings(way)
		if len(savings) < 2 {
			t.Errorf("there are %d disk uses at which the planner can be held against %s", len(savings), way)
		}
		for _, s := range savings {
			if s.All < -0.02 {
				t.Errorf("at the disk use of %s the planner pulls %.0f %% more", s.Beside.Policy, -100*s.All)
			}
			if s.Beside.Mean > 3*float64(r.InUse) && s.Avoidable < 0.5 {
				t.Errorf("at the disk use of %s the planner saves %.0f %% of what can be saved", s.Beside.Policy, 100*s.Avoidable)
			}
		}
	}
}

func TestThePlotIsWellFormed(t *testing.T) {
	var trace trace
	trace.built("a:1", "a")
	trace.ran("a:1", 0)
	trace.ran("a:1", 40)
	for name, r := range map[string]simulate.Report{"a report": simulate.Compare(trace, nil), "an empty one": {}} {
		var plot bytes.Buffer
		if err := r.SVG(&plot); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(plot.String(), "NaN") || strings.Contains(plot.String(), "Inf") {
			t.Errorf("%s: a figure is missing in\n%s", name, &plot)
		}
		for d := xml.NewDecoder(&plot); ; {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}
