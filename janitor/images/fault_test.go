package images_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// faults are what may befall one call to the Engine.
var faults = map[string]func(r *rig, end context.CancelFunc) (before, after error){
	"an error":       func(*rig, context.CancelFunc) (before, after error) { return errors.New("500"), nil },
	"a lost answer":  func(*rig, context.CancelFunc) (before, after error) { return nil, errors.New("unexpected EOF") },
	"a cancellation": func(_ *rig, end context.CancelFunc) (before, after error) { end(); return context.Canceled, nil },
	"a kill before":  func(r *rig, _ context.CancelFunc) (before, after error) { r.engine.dead = true; return errDead, nil },
	"a kill after":   func(r *rig, _ context.CancelFunc) (before, after error) { r.engine.dead = true; return nil, errDead },
}

// J6, J7: whatever befalls whichever call: what is not deleted has all its names
// after the next look, what is deleted is in the audit.
func TestJ7AFaultAtAnyCallLosesNoName(t *testing.T) {
	for store, derives := range map[string]bool{"classic": false, "containerd": true} {
		t.Run(store, func(t *testing.T) { faultsAtAnyCall(t, derives) })
	}
}

func faultsAtAnyCall(t *testing.T, derives bool) {
	t.Helper()
	names := map[int][]string{1: {"orders:1", "orders:stable"}, 2: {"billing:1"}, 3: {"used:1"}}
	fresh := func() *rig {
		r := newRig(t, image(1, names[1]...), image(2, names[2]...), image(3, names[3]...))
		r.engine.derives = derives
		r.engine.run(1, "used:1")
		return r
	}
	whole := fresh()
	whole.sweep(images.Options{})
	for what, befall := range faults {
		for n := range len(whole.engine.calls) {
			r := fresh()
			ctx, end := context.WithCancel(t.Context())
			var before, after error
			r.engine.before = func(context.Context, string) error {
				if before, after = nil, nil; len(r.engine.calls) == n+1 {
					before, after = befall(r, end)
					r.engine.dead = r.engine.dead && before != nil // a kill after lets the call through
				}
				return before
			}
			r.engine.after = func(context.Context, string) error {
				r.engine.dead = r.engine.dead || errors.Is(after, errDead)
				return after
			}
			_, _ = r.Sweep(ctx, images.Options{})
			end()
			r.engine.before, r.engine.after = nil, nil
			r.again()
			r.Policy = forever
			r.sweep(images.Options{})
			left := map[int][]string{}
			for id := range names {
				if r.engine.image(imageID(id)) != nil {
					left[id] = names[id]
				} else if id == 3 {
					t.Errorf("%s at call %d: what is in use is gone", what, n)
				} else if !written(r, id) {
					t.Errorf("%s at call %d: image %d is gone, and the audit has no word of it", what, n, id)
				}
			}
			r.wantNames(left)
			if t.Failed() {
				t.Fatalf("%s at call %d of %q, then %q", what, n, whole.engine.calls, r.engine.calls)
			}
			if moves := r.Ledger.Moves(); len(moves) > 0 {
				t.Errorf("%s at call %d: moves that have not ended: %+v", what, n, moves)
			}
		}
	}
}

// written reports whether the audit says of an image that it was to go and that
// it went.
func written(r *rig, id int) bool {
	has := func(action string) bool {
		return slices.ContainsFunc(r.records(action), func(record audit.Record) bool {
			return record.Container == strings.TrimPrefix(imageID(id), "sha256:")
		})
	}
	return has(audit.Removed) && has(audit.Purged)
}

// J6: what cannot be written down does not begin.
func TestJ6NothingGoesWithoutTheAudit(t *testing.T) {
	r := newRig(t, image(1, "orders:1"))
	r.Doubt = func(context.Context, inventory.Listing) string { _ = r.Audit.Close(); return "" }
	if _, err := r.Sweep(t.Context(), images.Options{}); err == nil {
		t.Error("the sweep says nothing")
	}
	r.wantNames(map[int][]string{1: {"orders:1"}})
	if slices.ContainsFunc(r.engine.calls, func(call string) bool { return call != "store" && call != "list" }) {
		t.Errorf("the calls were %q", r.engine.calls)
	}
}

// follow runs the sweeper as the daemon does, until it is stopped.
func (r *rig) follow(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// J7: the daemon that starts after a crash gives the names back by itself.
func TestJ7AStartGivesBackTheNamesThatACrashHasLeftTaken(t *testing.T) {
	r := newRig(t, image(1, "orders:1", "orders:stable"))
	r.engine.after = func(_ context.Context, call string) error { r.engine.dead = call == "remove orders:stable"; return nil }
	_, _ = r.Sweep(t.Context(), images.Options{})
	r.engine.after = nil
	r.again()
	if got := r.engine.image(imageID(1)).Names(); len(got) != 1 {
		t.Fatalf("the crash has left the names %q", got)
	}
	synctest.Test(t, func(t *testing.T) {
		stop := r.follow(t)
		time.Sleep(time.Minute) //nolint:forbidigo // of the bubble
		synctest.Wait()
		stop()
	})
	r.wantNames(map[int][]string{1: {"orders:1", "orders:stable"}})
	r.wantAudit(map[string]int{audit.Recovered: 1})
}

// A second is a clock by which every pull takes one.
type second struct{}

func (second) Watch(string)                 {}
func (second) Took(time.Time) time.Duration { return time.Second }

// The memory of images follows what Docker tells.
func TestPullsAndNewImagesAreNoted(t *testing.T) {
	r := newRig(t)
	r.Pulls = second{}
	synctest.Test(t, func(t *testing.T) {
		stop := r.follow(t)
		time.Sleep(time.Minute) //nolint:forbidigo // of the bubble
		synctest.Wait()
		r.engine.mu.Lock()
		r.engine.images = []inventory.Image{image(1, "orders:1")}
		r.engine.run(1, "orders:1")
		r.engine.before = func(context.Context, string) error { return errors.New("500") }
		r.engine.mu.Unlock()
		r.Pulled("orders:1", noon.Add(-time.Second))
		time.Sleep(3 * time.Second) //nolint:forbidigo // of the bubble
		synctest.Wait()
		r.engine.mu.Lock()
		r.engine.before = nil
		r.engine.mu.Unlock()
		time.Sleep(2 * time.Minute) //nolint:forbidigo // of the bubble: it asks again by itself
		synctest.Wait()
		stop()
	})
	e := r.Ledger.View().Images[imageID(1)]
	wanted := usage.Entry{Pulled: noon.Add(-time.Second), Pull: time.Second, Used: noon, Uses: 1, InUse: true}
	if !e.Pulled.Equal(wanted.Pulled) || e.Pull != wanted.Pull || !e.Used.Equal(wanted.Used) || e.Uses != 1 || !e.InUse {
		t.Errorf("the entry is %+v, want %+v", e, wanted)
	}
}
