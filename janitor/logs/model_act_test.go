package logs_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/logs"
)

// An act is one thing that the daemon is asked to do, and what befalls it.
type act struct {
	what   string
	lie    lie
	from   int  // the look from which Docker lies
	once   bool // and in that look alone
	appear int  // the look before which a dead container comes back; 0: none
	breaks []breaking
	cancel context.CancelFunc

	at      time.Time // the clock when it began
	looks   int
	good    []bool         // of each look: it is the truth
	calls   int            // system calls
	changes int            // those among them that change something
	names   map[string]int // and how many of each name
	killed  bool
	failed  bool // one of them was made to fail
	raced   bool // a tenant acted meanwhile
	stopped bool // its context was ended

	fat bool // the journals are large, and are written anew

	swept  bool // the rest is of a sweep
	report logs.Report
	named  map[spot]bool // what the plan names that it applies; nil: the present one
	purge  bool
}

// A spot is a folder at a place.
type spot struct {
	path string
	ino  uint64
}

// A remembered plan may be applied later.
type remembered struct {
	hash  string
	spots map[spot]bool
}

func spots(p logs.Plan) map[spot]bool {
	all := map[spot]bool{}
	for _, d := range p.Removals() {
		all[spot{d.Path(), d.Identity.Ino}] = true
	}
	return all
}

// sees reports whether the nth look was the truth.
func (a *act) sees(n int) bool { return n <= len(a.good) && a.good[n-1] }

// sighted reports whether the newest look was the truth.
func (a *act) sighted() bool { return len(a.good) > 0 && a.good[len(a.good)-1] }

// clean reports whether nothing but the truth befell it.
func (a *act) clean() bool {
	return !a.failed && !a.raced && !a.stopped && !slices.Contains(a.good, false)
}

// deletes reports whether what befalls it is at a deletion.
func (a *act) deletes() bool { return len(a.breaks) == 1 && a.breaks[0].only == "unlinkat" }

// do has the daemon act, kills it where that was planned, and looks at what has
// become of the host.
func (m *model) do(a *act, f func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m.say("%s", a.what)
	a.cancel, a.at, a.names = cancel, m.now(), map[string]int{}
	for _, c := range m.containers {
		c.since = 0
	}
	m.act = a
	f(ctx)
	m.showProcesses()
	if m.dead {
		m.say("killed after %d calls", a.changes)
		m.revive(a)
	}
	m.act = nil
	m.check(a)
}

// revive starts the daemon after it was killed, maybe by a loss of power.
func (m *model) revive(a *act) {
	m.count.crashes.Add(1)
	m.shut()
	if m.one(3) {
		m.powerLoss()
	}
	m.wake(a)
}

// wake starts the daemon, which the kernel may fail at first.
func (m *model) wake(a *act) {
	for tries := 0; ; tries++ {
		m.dead, a.breaks = false, nil
		if tries < 3 && (a.fat || m.one(3)) {
			a.breaks = m.breakings(12)
			m.say("start, breaks %v", a.breaks)
		}
		a.calls, a.changes = 0, 0
		clear(a.names)
		err := m.open()
		if err == nil && !m.faulty() && !m.dead { // in this order: to ask may open a root
			break
		}
		if tries > 5 {
			m.fail("the daemon does not start: %v; roots %+v", err, m.states())
			break
		}
		if err == nil {
			m.shut()
		} else {
			m.sweeper = nil
		}
	}
	a.breaks = nil
	m.settled()
}

// faulty reports whether a root could not be opened.
func (m *model) faulty() bool {
	return slices.ContainsFunc(m.states(), func(s logs.RootState) bool { return s.Fault != "" })
}

func (m *model) states() []logs.RootState {
	if m.sweeper == nil {
		return nil
	}
	return m.sweeper.RootStates()
}

// sweep has the daemon sweep, maybe under an older plan.
func (m *model) sweep(a *act, o logs.Options) {
	o.By = "model"
	a.what = fmt.Sprintf("sweep plan %q dry %v purge %v lie %d from %d once %v breaks %v appear %d", o.Plan, o.DryRun, o.Purge, a.lie, a.from, a.once, a.breaks, a.appear)
	if o.Plan != "" {
		i := slices.IndexFunc(m.plans, func(p remembered) bool { return p.hash == o.Plan })
		a.named = m.plans[i].spots
	}
	m.do(a, func(ctx context.Context) {
		r, err := m.sweeper.Sweep(ctx, o)
		if errors.Is(err, logs.ErrUnknownPlan) {
			return
		}
		if err != nil {
			m.say("  %v", err)
		}
		a.swept, a.report, a.purge = true, r, o.Purge
		m.count.sweeps.Add(1)
		if r.Plan.Blind != "" {
			m.count.blind.Add(1)
		}
		if o.DryRun && !m.dead {
			m.plans = append(m.plans, remembered{r.Plan.Hash(), spots(r.Plan)})
			m.plans = m.plans[max(0, len(m.plans)-4):]
		}
	})
}

// look is a sweep of some kind; Docker and the kernel may fail it.
func (m *model) look() {
	a := &act{}
	m.disturb(a)
	o := logs.Options{Purge: m.one(6) || a.appear == 3 || a.deletes(), DryRun: m.one(8)}
	if p, ok := pick(m.rand, m.plans); ok && m.one(4) {
		o.Plan, o.DryRun = p.hash, false
	}
	m.sweep(a, o)
}

// expire deletes what is due, as the daemon does by itself.
func (m *model) expire() {
	a := &act{what: "expire"}
	m.disturb(a)
	m.do(a, func(ctx context.Context) { m.sweeper.ExpireDue(ctx) })
}

// undo brings removed folders back.
func (m *model) undo() {
	a := &act{what: "undo"}
	if m.one(4) {
		a.breaks = m.breakings(8)
	}
	var in []*folder
	for _, f := range m.order {
		if f.stone != "" {
			in = append(in, f)
		}
	}
	sel := logs.Selector{Last: true}
	if f, ok := pick(m.rand, in); ok && m.one(2) {
		if sel = (logs.Selector{Object: m.abs(f.path)}); m.one(2) {
			sel = logs.Selector{Plan: f.plan}
		}
	}
	m.do(a, func(ctx context.Context) {
		restored, failed, _ := m.sweeper.Restore(ctx, sel, "model")
		for _, o := range slices.Concat(restored, failed) {
			m.say("  %s %s", filepath.Base(o.Path), o.Reason)
		}
		if m.dead {
			return
		}
		for _, o := range restored {
			if !exists(o.Path) {
				m.fail("%s was restored, and it is not there", o.Path)
			}
			m.holds[o.Path] = m.now().Add(24 * time.Hour)
		}
		for _, o := range failed {
			if !a.failed && !a.stopped && m.free(strings.TrimPrefix(o.Path, m.dir+"/")) {
				m.fail("%s was not restored, and its place is free: %s", o.Path, o.Reason)
			}
		}
	})
}

// watch lets the ledger see a listing, as Docker's watcher does after events.
func (m *model) watch() {
	a := &act{what: "watch"}
	if m.one(6) {
		a.breaks = m.breakings(3)
	}
	m.do(a, func(ctx context.Context) {
		if l, err := m.List(ctx); err == nil {
			m.ledger.Listed(l)
		}
	})
}

// tell sends an event to the ledger.
func (m *model) tell(what string, c *container, send func(inventory.ID)) {
	a := &act{what: what + " " + c.id.Short()}
	if m.one(12) {
		a.breaks = m.breakings(2)
	}
	m.do(a, func(context.Context) { send(c.id) })
	c.odd = c.odd || a.killed // it did not take it in
}

// restart ends the daemon in good order, or not, and starts it.
func (m *model) restart() {
	m.do(&act{what: "restart"}, func(context.Context) {
		if m.one(2) {
			m.sweeper.Close()
		}
		m.dead = true
	})
}

// finish brings the host to rest: no more lies, and time enough. Nothing that
// nobody claims is left then, and the audit holds.
func (m *model) finish() {
	m.reopenDocker()
	for range 4 {
		m.wind(25 * time.Hour)
		m.listing()
		m.sweep(&act{}, logs.Options{Purge: true})
	}
	m.rested()
	if err := m.audit.Verify(); err != nil {
		m.fail("%w", err)
	}
}

// listing is a listing that nothing befalls.
func (m *model) listing() {
	m.do(&act{what: "watch"}, func(ctx context.Context) {
		l, err := m.List(ctx)
		m.must(err)
		m.ledger.Listed(l)
	})
}
