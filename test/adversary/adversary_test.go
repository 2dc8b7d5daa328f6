package adversary_test

import (
	"context"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/logs"
)

// J4, J5: however tenants exchange, link, mount, rename and write, nothing but
// folders of the dead is deleted.
func TestNoCanaryIsTouched(t *testing.T) {
	w := newWorld(t)
	defer w.clear()
	b := w.battle(func(r *rand.Rand) { w.sweep(r) })
	t.Logf("seed %d: %d hostile acts, %d sweeps, %d containers; removed %d, deleted for good %d, brought back %d, refused %v%s",
		b.seed, w.acts(), b.rounds, w.made, w.sum.removed, w.sum.purged, w.sum.restored, w.refused, w.table())
	if len(b.touched) > 0 {
		found, _ := w.audit.Find("", 30)
		t.Fatalf("seed %d: canaries touched in sweep %d:\n%s\nthe audit ends with %+v", b.seed, b.rounds, strings.Join(b.touched, "\n"), found)
	}
	if w.sum.purged == 0 || w.sum.restored == 0 {
		t.Error("nothing was deleted or brought back: there was nothing to attack")
	}
	if *swaps >= 500_000 && w.refused[logs.CodeSwapped] == 0 {
		t.Error("no exchange was noticed in so many: the attacks miss")
	}
	if err := w.audit.Verify(); err != nil {
		t.Error(err)
	}
	w.settles()
}

// A battle is what came of attacks against a deleter.
type battle struct {
	seed    uint64
	rounds  int
	touched []string
}

// battle lets containers die and the deleter run until there were enough
// hostile acts, or a canary is touched.
func (w *world) battle(deleter func(*rand.Rand)) (b battle) {
	w.t.Helper()
	if b.seed = *seed; b.seed == 0 {
		b.seed = rand.Uint64()
	}
	w.t.Logf("repeat it with -seed %d", b.seed)
	ctx, cancel := context.WithCancel(w.t.Context())
	var hostile sync.WaitGroup
	defer hostile.Wait()
	defer cancel()
	for name, a := range attacks() {
		w.swaps[name] = new(atomic.Int64)
		hostile.Go(func() { w.assault(ctx, name, a, b.seed) })
	}
	r := rand.New(rand.NewPCG(b.seed, 0))
	for w.acts() < *swaps && len(b.touched) == 0 {
		for range 1 + r.IntN(4) {
			w.die(r)
		}
		w.strike()
		deleter(r)
		b.rounds++
		if b.rounds%20 == 0 {
			b.touched = w.check()
		}
	}
	cancel()
	hostile.Wait()
	if len(b.touched) == 0 {
		b.touched = w.check()
	}
	return b
}

func (w *world) acts() (n int64) {
	for _, s := range w.swaps {
		n += s.Load()
	}
	return n
}

// sweep sweeps, and now and then takes some of it back.
func (w *world) sweep(r *rand.Rand) {
	undo := r.IntN(4) == 0
	w.sweeper.Undo = 0
	if undo {
		w.sweeper.Undo = time.Hour
	}
	report, err := w.sweeper.Sweep(w.t.Context(), logs.Options{Purge: !undo, By: "test"})
	if err != nil {
		w.sum.errors++
	}
	w.sum.removed += len(report.Removed)
	w.sum.purged += len(report.Purged)
	for _, o := range report.Refused {
		w.mu.Lock()
		w.refused[o.Code]++
		w.mu.Unlock()
	}
	if undo && len(report.Removed) > 0 {
		restored, _, _ := w.sweeper.Restore(w.t.Context(), logs.Selector{Last: true}, "test")
		w.sum.restored += len(restored)
	}
}

// settles checks that, once everybody is quiet, all of the dead go.
func (w *world) settles() {
	w.t.Helper()
	w.release()
	for range 10 {
		w.sweep(rand.New(rand.NewPCG(3, 3)))
	}
	plan := w.sweeper.Plan(w.t.Context())
	for i, d := range plan.Decisions {
		if i < 50 && d.Code != logs.CodeListed && d.Code != logs.CodeOpen && d.Code != logs.CodeHeld {
			w.t.Errorf("%s stays: %s: %s", d.Path(), d.Code, d.Reason)
		}
	}
	if plan.Blind != "" {
		w.t.Errorf("blind: %s", plan.Blind)
	}
}

// release lets go of the dead.
func (w *world) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.dead {
		unix.Close(p.fd)
	}
	w.dead = nil
	for at := w.mounted(); at != ""; at = w.mounted() {
		if unix.Unmount(at, unix.MNT_DETACH) != nil {
			return
		}
	}
}

// clear removes everything: the standard library cannot remove trees so deep.
func (w *world) clear() {
	w.release()
	if out, err := exec.Command("rm", "-rf", w.dir).CombinedOutput(); err != nil {
		w.t.Errorf("rm: %v: %.300s", err, out)
	}
}
