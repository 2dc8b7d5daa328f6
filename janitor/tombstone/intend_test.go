package tombstone_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// J5: the intent is on disk before the first unlink, and one sync is enough
// for many stones.
func TestJ5OneSyncWritesTheIntentsOfManyStones(t *testing.T) {
	r := newRig(t)
	var stones []tombstone.Stone
	for n := range 20 {
		folder := fmt.Sprintf("orders/containers/%012x", n)
		r.write("dead", folder, "app.log")
		stones = append(stones, r.confirmed(folder))
	}
	syncs := 0
	stop := kernel.Intercept(t, func(c kernel.Call, do func() error) error {
		if c.Name == "fdatasync" || c.Name == "fsync" {
			syncs++
		}
		if c.Name == "unlinkat" && syncs == 0 {
			t.Error("something is deleted before the intent is on disk")
		}
		return do()
	})
	ok(t, r.yard.Intend(stones...))
	for _, s := range stones {
		_, err := r.yard.Purge(t.Context(), s)
		ok(t, err)
	}
	stop()
	if syncs != 1 || len(r.yard.Stones()) > 0 {
		t.Errorf("%d syncs, and %d stones are left", syncs, len(r.yard.Stones()))
	}
}

func TestWhatIsAboutToBePurgedCannotBeRestored(t *testing.T) {
	r := newRig(t)
	s := r.confirmed(dead)
	ok(t, r.yard.Intend(s))
	if err := r.yard.Restore(s); !errors.Is(err, tombstone.ErrPurging) {
		t.Errorf("got %v, want ErrPurging", err)
	}
	if recovery := r.again(); len(recovery.Resumed) != 1 {
		t.Errorf("after a crash: %+v, want it resumed", recovery)
	}
	r.purge(s)
	if len(r.yard.Stones()) > 0 {
		t.Errorf("%d stones are left", len(r.yard.Stones()))
	}
}

func TestWhatMayNotBePurgedIsNotIntended(t *testing.T) {
	r := newRig(t)
	s := r.bury(dead)
	ok(t, r.yard.Intend(s, s, tombstone.Stone{Name: "nobody"}))
	ok(t, r.yard.Restore(s))
	r.wantContent("dead", dead, "app.log")
}
