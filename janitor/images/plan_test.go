package images_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images"
	"github.com/berth-dev/berth/janitor/images/usage"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A host is facts in the making.
type host struct {
	facts  images.Facts
	policy images.Policy
}

func newHost() *host {
	return &host{
		facts: images.Facts{Usage: usage.View{
			Images: map[string]usage.Entry{}, Families: map[string]usage.Family{}, Volumes: map[string]usage.Mounted{},
		}},
		policy: images.Policy{MinAge: 7 * day, Dangling: day, Keep: []string{"base/*"}, KeepNewest: 0},
	}
}

// add adds an image that came so long ago and was last used so long ago; 0: never.
func (h *host) add(i inventory.Image, came, used time.Duration) {
	h.facts.Store.Images = append(h.facts.Store.Images, i)
	e := usage.Entry{ID: i.ID, Names: i.Names(), Size: i.Size, Seen: noon.Add(-came)}
	if used > 0 {
		e.Used, e.Uses, e.Starts = noon.Add(-used), 1, []time.Time{noon.Add(-used)}
	}
	h.facts.Usage.Images[i.ID] = e
}

func (h *host) run(n int, ref, id string, state inventory.State) {
	h.facts.Store.Containers = append(h.facts.Store.Containers, inventory.Container{
		ID: containerID(n), Image: ref, ImageID: id, Service: "orders", State: state, Created: noon.Add(-time.Hour),
	})
}

func (h *host) plan() images.Plan { return images.MakePlan(h.facts, h.policy, noon) }

// J7: every floor of the policy keeps an image that is old and was not used.
func TestJ7EveryReasonToKeepAnImage(t *testing.T) {
	old := image(1, "orders:1")
	for name, c := range map[string]struct {
		make func(h *host)
		code string
	}{
		"nothing speaks for it": {func(h *host) { h.add(old, 30*day, 20*day) }, images.CodeUnused},
		"never used":            {func(h *host) { h.add(old, 8*day, 0) }, images.CodeUnused},
		"never used, came late": {func(h *host) { h.add(old, 6*day, 0) }, images.CodeUsed},
		"used not long ago":     {func(h *host) { h.add(old, 30*day, 6*day) }, images.CodeUsed},
		"running":               {func(h *host) { h.add(old, 30*day, 20*day); h.run(1, "orders:1", old.ID, inventory.Running) }, images.CodeInUse},
		"exited":                {func(h *host) { h.add(old, 30*day, 20*day); h.run(1, "orders:1", old.ID, inventory.Exited) }, images.CodeInUse},
		"created":               {func(h *host) { h.add(old, 30*day, 20*day); h.run(1, "orders:1", old.ID, inventory.Created) }, images.CodeInUse},
		"removing":              {func(h *host) { h.add(old, 30*day, 20*day); h.run(1, "x", old.ID, inventory.Removing) }, images.CodeInUse},
		"its name is used by a container of an older image": {
			func(h *host) { h.add(old, 30*day, 20*day); h.run(1, "orders:1", imageID(9), inventory.Running) }, images.CodeInUse,
		},
		"one of two names is used": {
			func(h *host) {
				h.add(image(1, "a:1", "b:1"), 30*day, 20*day)
				h.run(1, "b:1", imageID(9), inventory.Running)
			}, images.CodeInUse,
		},
		"came less than an hour ago": {func(h *host) { h.policy.MinAge = 0; h.add(old, 59*time.Minute, 0) }, images.CodeYoung},
		"pulled again just now": {func(h *host) {
			h.add(old, 30*day, 20*day)
			e := h.facts.Usage.Images[old.ID]
			e.Pulled = noon.Add(-time.Minute)
			h.facts.Usage.Images[old.ID] = e
		}, images.CodeYoung},
		"the ledger has no word of it": {func(h *host) { h.facts.Store.Images = []inventory.Image{old} }, images.CodeYoung},
		"pattern":                      {func(h *host) { h.add(image(1, "base/go:1"), 30*day, 20*day) }, images.CodePinned},
		"pattern without the host":     {func(h *host) { h.add(image(1, "host.example:5000/base/go:1"), 30*day, 20*day) }, images.CodePinned},
		"pattern below another folder": {func(h *host) { h.add(image(1, "host.example/my/base/go:1"), 30*day, 20*day) }, images.CodeUnused},
		"a pattern nobody understands": {func(h *host) { h.policy.Keep = []string{"["}; h.add(old, 30*day, 20*day) }, images.CodePinned},
		"label":                        {func(h *host) { h.add(labelled(old, ""), 30*day, 20*day) }, images.CodePinned},
		"label false":                  {func(h *host) { h.add(labelled(old, "false"), 30*day, 20*day) }, images.CodeUnused},
		"newest":                       {func(h *host) { h.policy.KeepNewest = 1; h.add(old, 30*day, 20*day) }, images.CodeNewest},
		"second newest": {func(h *host) {
			h.policy.KeepNewest = 1
			h.add(old, 30*day, 20*day)
			h.add(image(2, "orders:2"), 29*day, 20*day)
		}, images.CodeUnused},
		"task family": {func(h *host) {
			h.add(old, 30*day, 20*day)
			h.facts.Usage.Families["task"] = usage.Family{Name: "task", Refs: []string{"orders:1"}, Ran: noon.Add(-6 * day)}
		}, images.CodeFamily},
		"task family of long ago": {func(h *host) {
			h.add(old, 30*day, 20*day)
			h.facts.Usage.Families["task"] = usage.Family{Name: "task", Refs: []string{"orders:1"}, Ran: noon.Add(-8 * day)}
		}, images.CodeUnused},
		"dangling":              {func(h *host) { h.add(image(1), 2*day, 0) }, images.CodeDangling},
		"dangling since today":  {func(h *host) { h.add(image(1), 23*time.Hour, 0) }, images.CodeUsed},
		"the ECS agent's":       {func(h *host) { h.add(image(1, "amazon/amazon-ecs-pause:0.1"), 30*day, 0) }, images.CodeECS},
		"blind":                 {func(h *host) { h.facts.Blind = "no"; h.add(old, 30*day, 20*day) }, images.CodeBlind},
		"nearly full":           {func(h *host) { h.facts.Urgent = true; h.add(old, 30*day, day) }, images.CodePressure},
		"nearly full and young": {func(h *host) { h.facts.Urgent = true; h.add(old, time.Minute, 0) }, images.CodeYoung},
		"nearly full and used": {func(h *host) {
			h.facts.Urgent = true
			h.add(old, 30*day, 20*day)
			h.run(1, "x", old.ID, inventory.Exited)
		}, images.CodeInUse},
		"there is room enough": {func(h *host) { h.facts.Need = -1; h.add(old, 30*day, 20*day) }, images.CodeEnough},
	} {
		h := newHost()
		c.make(h)
		d := find(t, h.plan(), imageID(1))
		if d.Code != c.code {
			t.Errorf("%s: %s, %s: %s; want %s", name, d.Verdict, d.Code, d.Reason, c.code)
		}
		goes := slices.Contains([]string{images.CodeUnused, images.CodeDangling, images.CodePressure}, d.Code)
		if (d.Verdict == images.Remove) != goes || d.Reason == "" {
			t.Errorf("%s: %s because %s: %q", name, d.Verdict, d.Code, d.Reason)
		}
	}
}

func labelled(i inventory.Image, value string) inventory.Image {
	i.Labels = map[string]string{images.KeepLabel: value}
	return i
}

func find(t *testing.T, p images.Plan, id string) images.Decision {
	t.Helper()
	i := slices.IndexFunc(p.Decisions, func(d images.Decision) bool { return d.ID == id })
	if i < 0 {
		t.Fatalf("the plan has no word on %s:\n%s", id, p.Text())
	}
	return p.Decisions[i]
}

// The newest of a repository are those that came last, wherever and whenever
// they were built.
func TestTheNewestAreThoseThatCameLast(t *testing.T) {
	h := newHost()
	h.policy.KeepNewest = 2
	for n, built := range []int{9, 1, 5, 3} {
		i := image(n+1, fmt.Sprint("orders:", n))
		i.Created = noon.AddDate(0, 0, -built)
		h.add(i, time.Duration(40-n)*day, 20*day)
	}
	for n, want := range []string{images.CodeUnused, images.CodeUnused, images.CodeNewest, images.CodeNewest} {
		if d := find(t, h.plan(), imageID(n+1)); d.Code != want {
			t.Errorf("image %d: %s, want %s", n+1, d.Code, want)
		}
	}
}

// A whole host, as a dry run prints it.
func TestThePlanOfAHost(t *testing.T) {
	h := newHost()
	h.policy.KeepNewest, h.policy.Stopped, h.policy.Anonymous = 1, 7*day, 30*day
	base := []inventory.Layer{{Chain: "base", Size: 80e6}, {Chain: "runtime", Size: 40e6}}
	layered := func(n int, own int64, tags ...string) inventory.Image {
		i := inventory.Image{ID: imageID(n), Tags: tags, Size: 120e6 + own}
		i.Layers = append(slices.Clone(base), inventory.Layer{Chain: fmt.Sprint("own", n), Size: own})
		return i
	}
	h.add(layered(1, 10e6, "orders:1"), 40*day, 35*day)
	h.add(layered(2, 11e6, "orders:2"), 30*day, 21*day)
	h.add(layered(3, 12e6, "orders:3", "orders:stable"), 10*day, time.Minute)
	h.add(layered(4, 13e6, "billing:1"), 40*day, 0)
	h.add(layered(5, 14e6, "billing:2"), 6*day, 0)
	h.add(layered(6, 15e6), 3*day, 0)
	h.add(layered(7, 16e6, "base/go:1.26"), 90*day, 0)
	h.add(layered(8, 17e6, "nightly:1"), 90*day, 20*time.Hour)
	h.run(1, "orders:3", imageID(3), inventory.Running)
	h.facts.Store.Containers = append(h.facts.Store.Containers,
		inventory.Container{ID: containerID(0xdead), Names: []string{"by-hand"}, State: inventory.Exited, Created: noon.Add(-9 * day), Finished: noon.Add(-8 * day)})
	h.facts.Store.Volumes = []inventory.Volume{{Name: "data", Driver: "local"}, {Name: "tmp", Driver: "local", Anonymous: true}}
	h.facts.Usage.Volumes["tmp"] = usage.Mounted{Name: "tmp", Seen: noon.Add(-40 * day), Used: noon.Add(-31 * day)}
	golden(t, "testdata/plan.txt", h.plan().Text())
	h.facts.Need = 20e6
	golden(t, "testdata/plan-need.txt", h.plan().Text())
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}

// J6: the same facts give the same bytes, in whatever order the Engine lists.
func TestJ6ThePlanDoesNotHangOnTheOrderOfAnswers(t *testing.T) {
	h := newHost()
	for n := range 20 {
		h.add(image(n, fmt.Sprint("orders:", n)), 30*day, time.Duration(8+n%3)*day)
	}
	want := h.plan()
	slices.Reverse(h.facts.Store.Images)
	if got := h.plan(); got.Hash() != want.Hash() {
		t.Errorf("the plans differ (-want +got)\n%s", cmp.Diff(want.Text(), got.Text()))
	}
}
