package logs_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
)

var (
	seed  = flag.Uint64("seed", 0, "seed of the model test; 0 takes one at random")
	steps = flag.Int("steps", modelSteps, "steps of the model test")
)

const (
	modelHosts = 3   // models that run side by side
	lifetime   = 400 // steps of a life, which begins with an empty host
)

// J1, J2, J3, J4, J5, J6: whatever order containers, tenants and operators act
// in, however Docker and the kernel lie, fail or stop answering, and at
// whichever system call the daemon is killed: a folder whose name is that of a
// living container stays or comes back, what goes was planned, looked at twice
// and written down, and nothing is lost that was not purged. See model for what
// is asserted after each step.
//
// The long form is
//
//	go test ./janitor/logs -run TestModel -steps 10000000 -timeout 0 -v
//
// What several stones at once are purged in which order is the Go scheduler's
// choice: a seed repeats everything else.
func TestModelNoLivingContainerLosesItsFolder(t *testing.T) {
	first, total := *seed, *steps
	if first == 0 {
		first = rand.Uint64()
	}
	if testing.Short() {
		total /= 20
	}
	hosts := newHosts(t, modelHosts)
	t.Logf("seed %d, %d steps on %d hosts", first, total, len(hosts))
	stop := progress(hosts)
	var workers sync.WaitGroup
	var next atomic.Uint64
	for _, m := range hosts {
		workers.Go(func() { m.run(first, &next, uint64(max(total/lifetime, 1))) })
	}
	workers.Wait()
	stop()
	sum := totals(hosts)
	t.Log(sum)
	for _, m := range hosts {
		if m.err != nil {
			t.Errorf("%v\nrepeat it: go test ./janitor/logs -run TestModelNo -seed %d -steps %d", m.err, m.seed, lifetime)
		}
	}
	if t.Failed() || total <= lifetime {
		return
	}
	for what, n := range map[string]int64{
		"removed": sum.removed, "purged": sum.purged, "restored": sum.restored, "crashed": sum.crashes, "failed": sum.faults, "swapped": sum.swaps,
	} {
		if n == 0 {
			t.Errorf("nothing was ever %s: the test proves nothing", what)
		}
	}
	if total >= 1_000_000 {
		reached(t, hosts)
	}
}

// newHosts makes models with file systems of their own, all below one hook.
func newHosts(t *testing.T, n int) []*model {
	t.Helper()
	hosts := make([]*model, n)
	for i := range hosts {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(dir, "host")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		var st unix.Stat_t
		if err := unix.Stat(dir, &st); err != nil {
			t.Fatal(err)
		}
		hosts[i] = &model{disk: dir, dev: st.Dev, sites: map[site]*visits{}}
	}
	kernel.Intercept(t, func(c kernel.Call, do func() error) error {
		for _, m := range hosts {
			if m.has(c) {
				return m.call(c, do)
			}
		}
		return do()
	})
	return hosts
}

// has reports whether a call is about the file system of a model.
func (m *model) has(c kernel.Call) bool {
	if c.Fd == unix.AT_FDCWD {
		return strings.HasPrefix(c.Path, m.disk+"/")
	}
	var st unix.Stat_t
	return unix.Fstat(c.Fd, &st) == nil && st.Dev == m.dev
}

// run lives one life after the other until there were enough or one of them
// broke an invariant. Each has a seed of its own, so that it can be repeated
// alone.
func (m *model) run(first uint64, next *atomic.Uint64, lives uint64) {
	for life := next.Add(1) - 1; life < lives && m.err == nil; life = next.Add(1) - 1 {
		m.seed = first + life
		m.begin()
		n := 0
		for ; n < lifetime && m.err == nil; n++ {
			m.step()
			m.count.steps.Add(1)
		}
		if m.err == nil {
			m.finish()
		}
		if m.err != nil {
			m.err = fmt.Errorf("seed %d, step %d: %w\nthe last acts were %s", m.seed, n, m.err, strings.Join(m.history, "; "))
		}
	}
	m.shut()
}

// fail keeps the first broken invariant.
func (m *model) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

func (m *model) must(err error) {
	if err != nil && m.err == nil {
		m.err = errors.Join(errors.New("the test itself went wrong"), err)
	}
}
