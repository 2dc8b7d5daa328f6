package logs

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A Lister takes a complete listing of every container in every state. An
// answer that may be partial is an error.
type Lister interface {
	List(ctx context.Context) (inventory.Listing, error)
}

// lateEvent is the default of [Sweeper.Late].
const lateEvent = 2 * time.Second

// staleList is how long Docker may list a container as running whose processes
// have all ended. The second witness is asked again for so long.
const staleList = time.Second

// witnesses asks both of them who is alive. Blind says why their word may not
// be believed (J2); what they do say still counts for the living. names are
// the folders in question: where the first names the containers of all of them,
// the second could only agree, and is not asked. Without names it always is.
func (s *Sweeper) witnesses(ctx context.Context, names []string) Facts {
	f, listing := s.ask(ctx, names)
	for began := time.Now(); f.Blind == "" && f.unseen() != "" && time.Since(began) < staleList; {
		select {
		case <-ctx.Done():
		case <-time.After(staleList / 10):
		}
		f, listing = s.ask(ctx, names)
	}
	if listing.Taken.IsZero() {
		f.Ledger = s.Ledger.View()
		return f
	}
	waiting, cancel := context.WithTimeout(ctx, cmp.Or(s.Late, lateEvent))
	defer cancel()
	s.Ledger.Explained(waiting)
	f.Ledger = s.Ledger.View()
	f.Blind = cmp.Or(f.Blind, s.doubt(f, listing))
	return f
}

// Doubt returns why a listing that somebody else has taken must not be
// believed; empty if it may (J2). The process table is not asked.
func (s *Sweeper) Doubt(ctx context.Context, l inventory.Listing) string {
	s.Ledger.Listed(l)
	waiting, cancel := context.WithTimeout(ctx, cmp.Or(s.Late, lateEvent))
	defer cancel()
	s.Ledger.Explained(waiting)
	return s.doubt(Facts{Ledger: s.Ledger.View()}, l)
}

// ask takes a listing and scans the process table.
func (s *Sweeper) ask(ctx context.Context, names []string) (f Facts, listing inventory.Listing) {
	listing, err := s.Lister.List(ctx)
	if err != nil {
		f.Blind = fmt.Sprintf("Docker cannot be asked: %v", err)
		return f, inventory.Listing{}
	}
	f.Listed = listing.Containers
	s.Ledger.Listed(listing)
	listed := f.living().listed
	if names != nil && !slices.ContainsFunc(names, func(name string) bool { return listed[name] == "" }) {
		return f, listing
	}
	f.Processes, err = scanProcesses(s.proc())
	if err != nil {
		f.Blind = fmt.Sprintf("the second witness is missing: %v", err)
	}
	return f, listing
}

// doubt returns why a listing must not be believed; empty if it may.
func (s *Sweeper) doubt(f Facts, l inventory.Listing) string {
	now := s.now()
	switch started := s.engineStart(l.Engine); {
	case l.Engine.RootDir == "":
		return "Docker does not say where its data root is"
	case l.Engine.RootDir != f.Ledger.Root:
		return fmt.Sprintf("Docker's data root is %s, but this host's is %s: set docker.data_root if it has moved for good",
			l.Engine.RootDir, f.Ledger.Root)
	case now.Before(started.Add(s.Settle)):
		return fmt.Sprintf("Docker or this host started at %s: nothing is deleted before %s", clock(started), clock(started.Add(s.Settle)))
	case f.Ledger.Newest.Round(0).Sub(now.Round(0)) > time.Minute: // as the clock on the wall says it
		return fmt.Sprintf("the clock went back: the ledger has seen %s", clock(f.Ledger.Newest))
	case now.Before(f.Ledger.ClockBack.Add(s.Settle)):
		back := f.Ledger.ClockBack
		return fmt.Sprintf("the clock went back at %s: nothing is deleted before %s", clock(back), clock(back.Add(s.Settle)))
	}
	if missing := f.Ledger.Unexplained(); len(missing) > 0 {
		return fmt.Sprintf("Docker's list is %d short: container %s (%s) has been absent since %s, and nothing says that it was removed",
			len(missing), missing[0].ID.Short(), missing[0].Service, clock(missing[0].Missing))
	}
	return f.unseen()
}

// unseen doubts a process table that shows none of the containers that run:
// it is that of another namespace.
func (f Facts) unseen() string {
	if f.Processes == nil {
		return "" // it was not asked
	}
	running := 0
	for _, c := range f.Listed {
		if c.State == inventory.Running {
			if running++; f.Processes[c.ID] != 0 {
				return ""
			}
		}
	}
	if running == 0 {
		return ""
	}
	return fmt.Sprintf("the process table shows none of the %d running containers: is Berth in a container without the host's PID namespace?", running)
}

// engineStart is when the Engine started, or the host if that is later; where
// neither can be learned, when this sweeper was made.
func (s *Sweeper) engineStart(e inventory.Engine) time.Time {
	started := e.Started
	if started.IsZero() {
		started = s.begun()
	}
	if boot := bootTime(s.proc()); boot.After(started) {
		started = boot
	}
	return started.Truncate(time.Second)
}

// bootTime reads when the host started; zero if it cannot be learned.
func bootTime(proc string) time.Time {
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return time.Time{}
	}
	var seconds int64
	for line := range strings.Lines(string(stat)) {
		if n, err := fmt.Sscanf(line, "btime %d", &seconds); n == 1 && err == nil {
			return time.Unix(seconds, 0)
		}
	}
	return time.Time{}
}
