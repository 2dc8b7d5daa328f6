package images_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images"
)

// forever is a policy under which everything stays.
var forever = images.Policy{MinAge: 1000 * day, Dangling: 1000 * day}

func TestUnusedImagesGoAndWhatIsUsedStays(t *testing.T) {
	r := newRig(t, image(1, "orders:1"), image(2, "orders:2", "orders:stable"), image(3, "billing:1"), image(4))
	r.engine.run(1, "orders:2")
	report := r.sweep(images.Options{By: "test"})
	r.wantNames(map[int][]string{2: {"orders:2", "orders:stable"}})
	if got := codes(report.Removed); len(got) != 3 || len(report.Refused) != 0 || report.Predicted != 3000 || report.Result() != "ok" {
		t.Errorf("removed %v, refused %v, predicted %d bytes, %s", got, report.Refused, report.Predicted, report.Result())
	}
	r.wantAudit(map[string]int{audit.Removed: 3, audit.Purged: 3, audit.Refused: 0})
	for _, record := range r.records(audit.Purged) {
		if record.Plan != report.Plan.Hash() || record.By != "test" || record.Kind != "image" || record.Reason == "" {
			t.Errorf("the record is %+v", record)
		}
	}
	if s := r.Stats(); s.Removed != 3 || s.Sweeps != 1 || s.Predicted != 3000 {
		t.Errorf("the counters are %+v", s)
	}
	if len(r.Ledger.Moves()) > 0 {
		t.Errorf("moves that have not ended: %+v", r.Ledger.Moves())
	}
}

// J6: a dry run asks and changes nothing, and has the text and the hash of the
// sweep that follows.
func TestJ6ADryRunIsTheSweep(t *testing.T) {
	r := newRig(t, image(1, "orders:1"), image(2, "orders:2"), image(3))
	r.engine.run(1, "orders:2")
	dry := r.sweep(images.Options{DryRun: true})
	if !slices.Equal(r.engine.calls, []string{"store"}) {
		t.Errorf("a dry run called %q", r.engine.calls)
	}
	report := r.sweep(images.Options{Plan: dry.Plan.Hash()})
	if diff := cmp.Diff(dry.Plan.Text(), report.Plan.Text()); diff != "" || dry.Plan.Hash() != report.Plan.Hash() {
		t.Errorf("the sweep has another plan (-dry +sweep)\n%s", diff)
	}
	if len(report.Removed) != 2 {
		t.Errorf("removed %+v, want the two of the dry run", report.Removed)
	}
}

// J6: what has come into question since is not in the plan that is applied.
func TestJ6APlanIsAppliedOrLess(t *testing.T) {
	r := newRig(t, image(1, "orders:1"), image(2, "orders:2"), image(3, "orders:3"))
	r.engine.run(1, "orders:3")
	plan := r.Plan(t.Context(), false)
	r.engine.containers = nil
	r.engine.run(2, "orders:2")
	r.engine.now = noon.Add(30 * day) // 3 is unused by now
	r.Ledger.Running(nil, noon)
	report := r.sweep(images.Options{Plan: plan.Hash()})
	r.wantNames(map[int][]string{2: {"orders:2"}, 3: {"orders:3"}})
	if len(report.Removed) != 1 || report.Removed[0].ID != imageID(1) {
		t.Errorf("removed %+v, want image 1", report.Removed)
	}
	if _, err := r.Sweep(t.Context(), images.Options{Plan: "000000000000"}); !errors.Is(err, images.ErrUnknownPlan) {
		t.Errorf("an unknown plan gives %v", err)
	}
}

// J6: a name that moved to the image since makes it another object.
func TestJ6AnImageThatWasTaggedSinceThePlanStays(t *testing.T) {
	r := newRig(t, image(1, "orders:1"), image(2, "orders:2"))
	plan := r.Plan(t.Context(), false)
	r.engine.tag(imageID(1), "orders:stable")
	r.sweep(images.Options{Plan: plan.Hash()})
	r.wantNames(map[int][]string{1: {"orders:1", "orders:stable"}})
}

// J2: whatever is doubtful, nothing goes.
func TestJ2NothingGoesOnABlindView(t *testing.T) {
	r := newRig(t, image(1, "orders:1"))
	r.Doubt = func(context.Context, inventory.Listing) string { return "the list is short" }
	report := r.sweep(images.Options{})
	if report.Plan.Blind != "the list is short" || len(report.Removed) > 0 || report.Result() != "blind" {
		t.Errorf("the report is %+v", report)
	}
	r.Doubt = nil
	r.engine.before = func(context.Context, string) error { return errors.New("500") }
	if report := r.sweep(images.Options{}); !strings.Contains(report.Plan.Blind, "500") {
		t.Errorf("blind is %q", report.Plan.Blind)
	}
	r.engine.before = nil
	r.wantNames(map[int][]string{1: {"orders:1"}})
}

// J2: a doubt that comes up between the loss of the names and the deletion gives
// all of them back.
func TestJ2ADoubtDuringASweepGivesTheNamesBack(t *testing.T) {
	for _, after := range []string{"list", "remove orders:1", "remove billing:1"} {
		r := newRig(t, image(1, "orders:1", "orders:stable"), image(2, "billing:1"))
		blind := false
		r.Doubt = func(context.Context, inventory.Listing) string {
			if blind {
				return "another data root"
			}
			return ""
		}
		r.engine.after = func(_ context.Context, call string) error { blind = blind || call == after; return nil }
		report, _ := r.Sweep(t.Context(), images.Options{})
		r.wantNames(map[int][]string{1: {"orders:1", "orders:stable"}, 2: {"billing:1"}})
		if len(report.Removed) > 0 || !slices.Equal(codes(report.Refused), []string{images.CodeBlind, images.CodeBlind}) {
			t.Errorf("doubt after %q: removed %+v, refused %+v", after, report.Removed, report.Refused)
		}
		r.wantAudit(map[string]int{audit.Refused: 2, audit.Purged: 0})
	}
}

// J7: whoever asks for an image by name, at whichever call of the sweep, has it;
// the Engine never has to be stopped from deleting it.
func TestJ7AContainerMadeDuringASweepKeepsItsImage(t *testing.T) {
	for _, ref := range []string{"orders:1", imageID(1)} {
		for _, late := range []bool{false, true} {
			n, made := 0, 1
			for ; made > 0; n++ {
				made = 0
				r := newRig(t, image(1, "orders:1", "orders:stable"), image(2, "billing:1"))
				hook := func(context.Context, string) error {
					if len(r.engine.calls) == n+1 && r.engine.run(1, ref) {
						made++
					}
					return nil
				}
				if late {
					r.engine.after = hook
				} else {
					r.engine.before = hook
				}
				report, _ := r.Sweep(t.Context(), images.Options{})
				if made > 0 && r.engine.image(imageID(1)) == nil {
					t.Errorf("%s, late %t, call %d: the image went under its container; %q", ref, late, n, r.engine.calls)
				}
				if made > 0 {
					r.wantNames(map[int][]string{1: {"orders:1", "orders:stable"}})
				}
				if len(report.Lost) > 0 {
					t.Errorf("lost %+v", report.Lost)
				}
			}
			if n < 3 {
				t.Errorf("%s: a container could be made at %d calls, want several", ref, n-1)
			}
		}
	}
}

// J7: whoever pulls an image that has lost its names has it back.
func TestJ7APullDuringASweepKeepsTheImage(t *testing.T) {
	r := newRig(t, image(1, "orders:1", "orders:stable"))
	r.engine.before = func(_ context.Context, call string) error {
		if strings.HasPrefix(call, "remove berth.local/") && !slices.Contains(r.engine.image(imageID(1)).Tags, "orders:1") {
			r.engine.tag(imageID(1), "orders:1")
		}
		return nil
	}
	report := r.sweep(images.Options{})
	r.wantNames(map[int][]string{1: {"orders:1", "orders:stable"}})
	if !slices.Equal(codes(report.Refused), []string{images.CodeRaced}) {
		t.Errorf("refused %+v", report.Refused)
	}
}

// J7: a name that another image has by now is not taken from it.
func TestJ7ATagThatMovedIsNotStolenBack(t *testing.T) {
	r := newRig(t, image(1, "orders:latest", "orders:1"))
	r.engine.before = func(_ context.Context, call string) error {
		if call == "list" && r.engine.image(imageID(2)) == nil {
			r.engine.images = append(r.engine.images, image(2, "orders:latest"))
			r.engine.run(1, imageID(1))
		}
		return nil
	}
	r.sweep(images.Options{})
	r.wantNames(map[int][]string{1: {"orders:1"}, 2: {"orders:latest"}})
}

// J7: an image that a container was made from in the very instant of its
// deletion is an alarm, is counted, and the sweep ends.
func TestJ7AnImageLostUnderAContainerIsAnAlarm(t *testing.T) {
	r := newRig(t, image(1, "orders:1"), image(2, "billing:1"))
	var lost string
	r.engine.after = func(_ context.Context, call string) error {
		if strings.HasPrefix(call, "remove berth.local/") && lost == "" {
			lost = imageID(1)
			if r.engine.image(lost) != nil {
				lost = imageID(2)
			}
			r.engine.creations++
			r.engine.containers = append(r.engine.containers, inventory.Container{ID: containerID(1), ImageID: lost, State: inventory.Created})
		}
		return nil
	}
	report, err := r.Sweep(t.Context(), images.Options{})
	if err == nil || len(report.Lost) != 1 || report.Lost[0].ID != lost || r.Stats().Lost != 1 || report.Result() != "partial" {
		t.Errorf("error %v, lost %+v, counted %d", err, report.Lost, r.Stats().Lost)
	}
	if len(r.engine.images) != 1 || strings.HasPrefix(r.engine.images[0].Tags[0], "berth.local/") {
		t.Errorf("the sweep went on: the Engine has %+v", r.engine.images)
	}
	if !slices.ContainsFunc(r.events, func(e images.Event) bool { return e.Type == "images.lost" }) {
		t.Errorf("nobody was told: %+v", r.events)
	}
	lostRecords := slices.DeleteFunc(r.records(audit.Refused), func(record audit.Record) bool { return record.Code != images.CodeLost })
	if len(lostRecords) != 1 {
		t.Errorf("the audit has %+v", lostRecords)
	}
}

// Names in every combination go and come back: digests cannot be given, and come
// back with the next pull.
func TestImagesWithDigestsAndWithoutNames(t *testing.T) {
	digest := "orders@" + imageID(77)
	tagged, bare, dangling := image(1, "orders:1"), image(2), image(3)
	tagged.Digests, bare.Digests = []string{digest}, []string{"billing@" + imageID(78)}
	for _, fails := range []bool{false, true} {
		r := newRig(t, tagged, bare, dangling)
		if fails { // at the very end
			r.engine.before = func(_ context.Context, call string) error {
				if i := r.engine.image(strings.TrimPrefix(call, "remove ")); i != nil && len(i.Names()) == 1 && strings.HasPrefix(i.Names()[0], "berth.local/") {
					return errConflict
				}
				return nil
			}
		}
		r.sweep(images.Options{})
		if !fails {
			r.wantNames(nil)
			continue
		}
		last := func(n int) []string {
			return []string{"berth.local/removing:" + strings.TrimPrefix(imageID(n), "sha256:")}
		}
		r.wantNames(map[int][]string{1: {"orders:1"}, 2: last(2), 3: last(3)})
		r.engine.before = nil
		r.sweep(images.Options{})
		r.wantNames(nil)
	}
}

// The digest that an image store makes of the name of one on its way out is no
// name: an image that has no other keeps this one.
func TestADigestMadeOfANameIsNoneByItself(t *testing.T) {
	r := newRig(t, image(1, "orders:1"), image(2))
	r.engine.derives = true
	refused := map[string]bool{}
	r.engine.before = func(_ context.Context, call string) error {
		if name, ok := strings.CutPrefix(call, "remove berth.local/"); ok && !refused[name] {
			refused[name] = true
			return errConflict
		}
		return nil
	}
	report := r.sweep(images.Options{})
	if len(report.Refused) != 2 {
		t.Errorf("refused %+v, want both", report.Refused)
	}
	left := map[int][]string{1: {"orders:1"}, 2: {"berth.local/removing:" + strings.TrimPrefix(imageID(2), "sha256:")}}
	r.wantNames(left)
	p := r.Plan(t.Context(), false)
	if d := find(t, p, imageID(2)); d.Code != images.CodeDangling || len(d.Names) > 0 {
		t.Errorf("what nobody names is %s, with the names %q", d.Code, d.Names)
	}
	r.sweep(images.Options{})
	r.wantNames(nil)
}

// A sweep that is ended while it waits gives the names back.
func TestASweepThatIsEndedGivesTheNamesBack(t *testing.T) {
	r := newRig(t, image(1, "orders:1"))
	r.Wait = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	r.engine.after = func(_ context.Context, call string) error {
		if call == "remove orders:1" {
			cancel()
		}
		return nil
	}
	report, err := r.Sweep(ctx, images.Options{})
	if err != nil || len(report.Refused) != 1 {
		t.Errorf("error %v, refused %+v", err, report.Refused)
	}
	r.engine.after = nil
	r.wantNames(map[int][]string{1: {"orders:1"}})
}

func TestNoMoreGoesThanTheDiskNeeds(t *testing.T) {
	r := newRig(t, image(1, "orders:1"), image(2, "orders:2"), image(3, "orders:3"), image(4, "orders:4"))
	free := int64(100)
	r.Space = func(string) images.Space { free += 10; return images.Space{Free: free, Need: 1500} }
	report := r.sweep(images.Options{UntilLow: true})
	if len(report.Removed) != 2 || report.Plan.Frees != 2000 || report.Freed != 10 {
		t.Errorf("removed %+v, frees %d, freed %d; want two images", report.Removed, report.Plan.Frees, report.Freed)
	}
	r.Space = func(string) images.Space { return images.Space{Free: free} }
	if report := r.sweep(images.Options{UntilLow: true}); len(report.Removed) > 0 {
		t.Errorf("with room enough %+v went", report.Removed)
	}
}

func TestStoppedContainersAndVolumesGoWhereThatIsWanted(t *testing.T) {
	r := newRig(t)
	old := noon.Add(-40 * day)
	stopped := inventory.Container{ID: containerID(1), State: inventory.Exited, Created: old, Finished: old}
	ecs, up, late := stopped, stopped, stopped
	ecs.ID, ecs.ECS = containerID(2), true
	up.ID, up.State = containerID(3), inventory.Paused
	up.Mounts = []inventory.Mount{{Volume: "mounted"}}
	late.ID, late.Finished = containerID(4), noon.Add(-time.Hour)
	r.engine.containers = []inventory.Container{stopped, ecs, up, late}
	r.engine.volumes = []inventory.Volume{
		{Name: "anonymous", Driver: "local", Anonymous: true},
		{Name: "mounted", Driver: "local", Anonymous: true},
		{Name: "named", Driver: "local"},
		{Name: "nfs", Driver: "local", Anonymous: true, Options: 2},
	}
	r.Ledger.Listed(nil, r.engine.volumes, old)
	r.sweep(images.Options{})
	if len(r.engine.containers) != 4 || len(r.engine.volumes) != 4 {
		t.Errorf("by default went: left are %+v and %+v", r.engine.containers, r.engine.volumes)
	}
	r.Policy.Stopped, r.Policy.Anonymous = 7*day, 30*day
	r.sweep(images.Options{})
	left := func(id inventory.ID) bool {
		return slices.ContainsFunc(r.engine.containers, func(c inventory.Container) bool { return c.ID == id })
	}
	if len(r.engine.containers) != 3 || left(containerID(1)) {
		t.Errorf("left are the containers %+v", r.engine.containers)
	}
	if len(r.engine.volumes) != 3 || r.engine.volumes[0].Name == "anonymous" {
		t.Errorf("left are the volumes %+v", r.engine.volumes)
	}
}

func TestWhyKnowsWhatWasRemoved(t *testing.T) {
	r := newRig(t, image(0xabcdef, "orders:1"), image(2, "billing:1"))
	r.sweep(images.Options{})
	story, err := r.Why(t.Context(), "orders")
	r.ok(err)
	if len(story.Entries) != 1 || len(story.History) != 2 || story.History[1].Action != audit.Purged {
		t.Errorf("the story of a repository is %+v", story)
	}
	if story, err = r.Why(t.Context(), imageID(0xabcdef)[len("sha256:"):]); err != nil || len(story.History) != 2 {
		t.Errorf("the story of an ID is %+v, %v", story, err)
	}
}
