package images_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images"
)

// cachedID is the ID of a record of the build cache: one letter, 25 times.
func cachedID(letter string) string { return strings.Repeat(letter, 25) }

// cached is a record of 100 bytes that was last used ten days ago.
func cached(letter string, parents ...string) inventory.Cached {
	k := inventory.Cached{ID: cachedID(letter), Type: "regular", Description: "step " + letter, Size: 100, Used: noon.Add(-10 * day)}
	for _, p := range parents {
		k.Parents = append(k.Parents, cachedID(p))
	}
	return k
}

func TestEveryReasonToKeepARecordOfTheBuildCache(t *testing.T) {
	for name, c := range map[string]struct {
		make func(h *host, k *inventory.Cached)
		code string
	}{
		"nothing speaks for it": {func(*host, *inventory.Cached) {}, images.CodeUnused},
		"off":                   {func(h *host, _ *inventory.Cached) { h.policy.Cached = 0 }, images.CodeOff},
		"a build uses it":       {func(_ *host, k *inventory.Cached) { k.InUse = true }, images.CodeInUse},
		"an image shares it":    {func(_ *host, k *inventory.Cached) { k.Shared = true }, images.CodeShared},
		"the Engine's own":      {func(_ *host, k *inventory.Cached) { k.Type = "internal" }, images.CodeEngine},
		"the frontend's":        {func(_ *host, k *inventory.Cached) { k.Type = "frontend" }, images.CodeEngine},
		"used not long ago":     {func(_ *host, k *inventory.Cached) { k.Used = noon.Add(-6 * day) }, images.CodeUsed},
		"blind":                 {func(h *host, _ *inventory.Cached) { h.facts.Blind = "no" }, images.CodeBlind},
		"parent of one that stays": {func(h *host, _ *inventory.Cached) {
			child := cached("b", "a")
			child.InUse = true
			h.facts.Store.Cached = append(h.facts.Store.Cached, child)
		}, images.CodeParent},
		"grandparent of one that stays": {func(h *host, _ *inventory.Cached) {
			child := cached("c", "b")
			child.Used = noon
			h.facts.Store.Cached = append(h.facts.Store.Cached, cached("b", "a"), child)
		}, images.CodeParent},
		"parent of one that goes": {func(h *host, _ *inventory.Cached) {
			h.facts.Store.Cached = append(h.facts.Store.Cached, cached("b", "a"))
		}, images.CodeUnused},
		"built on itself": {func(_ *host, k *inventory.Cached) { k.Parents = []string{k.ID} }, images.CodeUnused},
	} {
		h := newHost()
		h.policy.Cached = 7 * day
		h.facts.Store.Cached = []inventory.Cached{cached("a")}
		k := h.facts.Store.Cached[0]
		c.make(h, &k)
		h.facts.Store.Cached[0] = k
		d := find(t, h.plan(), cachedID("a"))
		if d.Code != c.code || d.Reason == "" || (d.Verdict == images.Remove) != (c.code == images.CodeUnused) {
			t.Errorf("%s: %s, %s: %s; want %s", name, d.Verdict, d.Code, d.Reason, c.code)
		}
		if freed := d.Bytes; (freed == 100) != (d.Verdict == images.Remove) {
			t.Errorf("%s: it frees %d bytes", name, freed)
		}
	}
}

// The Engine keeps what others are built on, so they go first.
func TestWhatIsBuiltOnARecordGoesBeforeIt(t *testing.T) {
	h := newHost()
	h.policy.Cached = 7 * day
	h.facts.Store.Cached = []inventory.Cached{cached("a"), cached("b", "c", "a"), cached("c"), cached("d", "b", "a"), cached("e", "d")}
	p := h.plan()
	place := map[string]int{}
	for n, d := range p.Removals() {
		place[d.ID] = n
	}
	if len(place) != 5 || p.Frees != 500 {
		t.Fatalf("%d go, %d bytes\n%s", len(place), p.Frees, p.Text())
	}
	for _, k := range h.facts.Store.Cached {
		for _, parent := range k.Parents {
			if place[parent] < place[k.ID] {
				t.Errorf("%s goes before %s, which is built on it", parent, k.ID)
			}
		}
	}
}

// Images are not removed for room that the build cache makes.
func TestTheBuildCacheMakesRoomBeforeImagesDo(t *testing.T) {
	for need, want := range map[int64]string{100: images.CodeEnough, 101: images.CodeUnused} {
		h := newHost()
		h.policy.Cached = 7 * day
		h.facts.Store.Cached = []inventory.Cached{cached("a")}
		h.add(image(1, "orders:1"), 30*day, 20*day)
		h.facts.Need = need
		if d := find(t, h.plan(), imageID(1)); d.Code != want {
			t.Errorf("%d bytes are wanted: %s, %s; want %s", need, d.Code, d.Reason, want)
		}
	}
}

// J6: for the build cache as for images; and it is listed for plans alone.
func TestJ6TheBuildCacheGoesAsPlanned(t *testing.T) {
	r := newRig(t, image(1, "orders:1"))
	r.Policy.Cached = 7 * day
	used := cached("d")
	used.InUse = true
	r.engine.cached = []inventory.Cached{cached("a"), cached("b", "a"), cached("c"), used}
	dry := r.sweep(images.Options{DryRun: true})
	if len(r.engine.cached) != 4 {
		t.Fatal("a dry run removes")
	}
	r.engine.before = func(_ context.Context, call string) error {
		if call == "remove cached "+cachedID("c") {
			return errors.New("not now")
		}
		return nil
	}
	report := r.sweep(images.Options{Plan: dry.Plan.Hash(), By: "test"})
	if report.Plan.Text() != dry.Plan.Text() || report.Result() != "partial" {
		t.Errorf("%s:\n%s\nthe dry run:\n%s", report.Result(), report.Plan.Text(), dry.Plan.Text())
	}
	if report.Predicted != 1200 || !slices.Equal(codes(report.Refused), []string{images.CodeFailed}) || len(report.Removed) != 3 {
		t.Errorf("the report is %+v", report)
	}
	r.wantAudit(map[string]int{audit.Removed: 4, audit.Purged: 3, audit.Refused: 1})
	for _, object := range []string{cachedID("a"), cachedID("c")[:12]} {
		story, err := r.Why(t.Context(), object)
		r.ok(err)
		if len(story.History) != 2 || story.History[0].Kind != string(images.Cached) || story.History[0].Plan != dry.Plan.Hash() {
			t.Errorf("the story of %s is %+v", object, story)
		}
	}
}

// A build cache that cannot be listed hides nothing else.
func TestABuildCacheThatCannotBeListedIsLeftAlone(t *testing.T) {
	h := newHost()
	h.policy.Cached = 7 * day
	h.facts.Store.Unread = "no answer within 5s"
	h.add(image(1, "orders:1"), 30*day, 20*day)
	p := h.plan()
	if d := find(t, p, imageID(1)); d.Verdict != images.Remove || p.Blind != "" {
		t.Errorf("the image: %s, %s; blind %q", d.Verdict, d.Reason, p.Blind)
	}
	if d := find(t, p, "unknown"); d.Kind != images.Cached || d.Code != images.CodeBlind || !strings.Contains(d.Reason, "no answer") {
		t.Errorf("the build cache: %+v", d)
	}
}

// J6, J7: a real build on a real Engine. What the image shares stays until the
// sweep after the image's.
func TestJ6TheEngineLosesTheBuildCacheThatThePlanNames(t *testing.T) {
	l, _ := newLive(t, false)
	l.BuildKit(t, "orders:1", make([]byte, 300_000), make([]byte, 200_000))
	l.age()
	l.sweeper.Policy.Cached = time.Nanosecond
	want := map[string]bool{}
	for round, shared := range []int{2, 0} {
		dry := l.sweeper.Plan(t.Context(), false)
		left := 0
		for _, d := range dry.Decisions {
			if d.Kind == images.Cached && d.Verdict == images.Keep {
				left++
				if d.Code != images.CodeShared {
					t.Errorf("round %d: %s stays: %s", round, d.ID, d.Reason)
				}
			}
			want[d.ID] = true
		}
		report, err := l.sweeper.Sweep(t.Context(), images.Options{Plan: dry.Hash()})
		l.ok(err)
		if left != shared || len(report.Refused) > 0 || len(report.Removed) != len(dry.Removals()) || report.Predicted != dry.Frees {
			t.Errorf("round %d: %d are shared, want %d; %+v\n%s", round, left, shared, report, dry.Text())
		}
	}
	var usage struct{ BuildCache []struct{ ID string } }
	l.ok(l.Do(http.MethodGet, "/system/df", nil, &usage))
	if len(usage.BuildCache) > 0 || len(want) < 5 {
		t.Errorf("%d objects were planned for; the Engine still has %v", len(want), usage.BuildCache)
	}
}
