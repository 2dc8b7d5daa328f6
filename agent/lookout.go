package agent

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/ledger"
)

const (
	// lookEvery is how often Docker is asked whether it still names everybody,
	// which costs it and this process more than all else that an idle host does.
	// With lateWord, and what a call may take, it is less than a minute.
	lookEvery = 40 * time.Second
	// lateWord is how long a container may be absent before its destroy event
	// counts as missing: the event can be behind the list that shows its effect.
	lateWord = 10 * time.Second
)

// A lookout compares what Docker says with what the ledger remembers, so that a
// Docker that does not tell the truth is known within a minute and not when the
// next sweep finds out. Nothing rests on it: every sweep looks for itself.
type lookout struct {
	generation *generation

	mu    sync.Mutex    // guards the fields below
	doubt string        // why Docker must not be believed, although it answers
	blind string        // that, or why it cannot be seen; empty while all is well
	since time.Time     // of blind
	total time.Duration // all blind times before this one
}

// run looks until ctx ends.
func (l *lookout) run(ctx context.Context) error {
	look := time.NewTimer(lookEvery)
	defer look.Stop()
	for {
		now, expired := l.generation.agent.hub.Watch()
		l.judge(now.Blind)
		select {
		case <-ctx.Done():
			return nil
		case <-expired:
		case <-look.C:
			look.Reset(l.look(ctx))
		}
	}
}

// look asks Docker for everybody, unless the watcher has lost it anyway. What
// the last sweep could not see is then looked at again, so that its word does
// not outlive its reason. It returns when to look again: soon while somebody is
// absent or Docker is not believed.
func (l *lookout) look(ctx context.Context) (again time.Duration) {
	g := l.generation
	if !g.watcher.Status().Connected {
		return lookEvery
	}
	doubt, again := "", lookEvery
	if listing, err := g.watcher.Client.List(ctx); err != nil {
		doubt = fmt.Sprintf("Docker cannot be asked: %v", err)
	} else {
		g.agent.ledger.Listed(listing)
		known := g.agent.ledger.View()
		doubt = disbelief(listing, known)
		if len(known.Unexplained()) > 0 {
			again = lateWord
		}
	}
	if doubt != "" {
		again = lateWord
	}
	if ctx.Err() != nil {
		return again
	}
	if doubt == "" && g.sweeper.Stats().Blind != "" {
		g.sweeper.Plan(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubt = doubt
	return again
}

// disbelief is why a listing cannot be true; empty if it can.
func disbelief(l inventory.Listing, known ledger.View) string {
	if l.Engine.RootDir != known.Root {
		return fmt.Sprintf("Docker's data root is %s, but this host's is %s: set docker.data_root if it has moved for good",
			l.Engine.RootDir, known.Root)
	}
	var lost []ledger.Entry
	for _, e := range known.Unexplained() {
		if l.Taken.Sub(e.Missing) >= lateWord {
			lost = append(lost, e)
		}
	}
	if len(lost) == 0 {
		return ""
	}
	return fmt.Sprintf("Docker's list is %d short: container %s (%s) has been absent since %s, and nothing says that it was removed",
		len(lost), lost[0].ID.Short(), lost[0].Service, stamp(lost[0].Missing).Format(time.RFC3339))
}

// judge tells people when Docker has been lost or is back. lost is why the
// watcher does not see it.
func (l *lookout) judge(lost string) {
	l.mu.Lock()
	blind := cmp.Or(lost, l.doubt)
	before := l.blind
	if l.blind = blind; before == "" {
		l.since = time.Now()
	} else if blind == "" {
		l.total += time.Since(l.since)
	}
	l.mu.Unlock()
	a := l.generation.agent
	switch {
	case blind == before:
	case blind == "":
		a.feed.Publish(api.Event{Type: "docker.seen", Message: "Docker is seen again: " + before})
	default:
		a.feed.Publish(api.Event{Type: "docker.blind", Message: blind})
		if lost == "" {
			a.component("docker").Warn("docker is not believed", "err", blind)
		}
	}
}

// disbelieves is why Docker must not be believed, although it answers.
func (l *lookout) disbelieves() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.doubt
}

// blindTime is for how long Docker could not be seen or believed.
func (l *lookout) blindTime() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.blind == "" {
		return l.total
	}
	return l.total + time.Since(l.since)
}
