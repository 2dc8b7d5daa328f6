package tombstone

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/journal"
)

// A Yard holds the folders that were taken away below one root. It may be used
// from several goroutines; several stones may be purged at once.
type Yard struct {
	root *beneath.Root

	io      sync.Mutex   // held over a change; before mu. Guards the next six fields
	home    *beneath.Dir // nil until there is one
	stones  *beneath.Dir
	journal *journal.File
	compact int64 // size from which the journal is written anew
	unnamed bool  // the journal's name may not be on disk
	closed  bool
	purges  sync.WaitGroup

	mu     sync.Mutex        // held briefly, never over a system call
	known  map[string]*state // by name; what the journal says. Written under io and mu
	buried int               // how many burials it told of
	strays map[string]Stone  // by name; what the journal does not know
	bad    int               // records of the journal that could not be read
}

// A state is a stone and what is being done to it.
type state struct {
	Stone
	nth       int  // in the order of burial, whatever the clock said
	restoring bool // the journal says so
	busy      bool // a purge is under way
	intact    bool // of one that is Purging: nothing of it is gone yet
}

// Open opens the yard of a root and locks it: a second process gets
// [ErrLocked]. Where there is no yard yet nothing is made before
// [Yard.Prepare] or the first [Yard.Bury]. [Yard.Recover] must be called before
// anything else.
func Open(root *beneath.Root) (*Yard, error) {
	y := &Yard{root: root, known: map[string]*state{}, strays: map[string]Stone{}}
	if err := y.open(false); err != nil {
		return nil, errors.Join(fmt.Errorf("open yard %s/%s: %w", root.Path(), Home, err), y.Close())
	}
	return y, nil
}

// write puts records on disk and then into the state. The caller holds io.
func (y *Yard) write(records ...record) error {
	values := make([]any, len(records))
	for i, r := range records {
		values[i] = r
	}
	if err := y.named(); err != nil {
		return err
	}
	if err := y.journal.Write(values...); err != nil {
		return err
	}
	y.took(records...)
	return nil
}

// append is write for what need not be on disk yet.
func (y *Yard) append(r record) error {
	if err := y.journal.Append(r); err != nil {
		return err
	}
	y.took(r)
	return nil
}

// note is write for what is done already and shows in the yard itself: that it
// does not get into the journal, on a full disk or in a crash, does no harm.
func (y *Yard) note(r record) {
	_ = y.journal.Append(r)
	y.took(r)
}

func (y *Yard) took(records ...record) {
	y.mu.Lock()
	for _, r := range records {
		y.apply(r)
	}
	y.mu.Unlock()
	y.tidy()
}

// apply takes one record of the journal into the state. Of two intents the last
// one counts: the other failed to be written, but for the journal, and nothing
// was done about it.
func (y *Yard) apply(r record) {
	s := y.known[r.Name]
	switch {
	case r.Op == opBury:
		y.buried++
		y.known[r.Stone.Name] = &state{Stone: *r.Stone, nth: y.buried}
	case s == nil:
	case r.Op == opConfirm:
		s.Confirmed = true
	case r.Op == opPurge:
		s.Purging, s.restoring = true, false
	case r.Op == opRestore:
		s.restoring, s.Purging = true, false
	case r.Op == opStay:
		s.restoring = false
	case r.Op == opGone:
		delete(y.known, r.Name)
	}
}

// change runs f on the state of a stone while nobody reads it.
func (y *Yard) change(name string, f func(*state)) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if s := y.known[name]; s != nil {
		f(s)
	}
}

// Stones returns what is in the yard, oldest first. It reads memory only.
func (y *Yard) Stones() []Stone {
	y.mu.Lock()
	defer y.mu.Unlock()
	all := make([]Stone, 0, len(y.known)+len(y.strays))
	for _, s := range y.known {
		all = append(all, s.Stone)
	}
	for _, s := range y.strays {
		all = append(all, s)
	}
	slices.SortFunc(all, byName)
	return all
}

func byName(a, b Stone) int { return cmp.Compare(a.Name, b.Name) }

// Bad is how many lines of the journal could not be read when it was opened.
// What they were about is kept.
func (y *Yard) Bad() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.bad
}

// Close waits for purges under way and gives the lock back. Stones stay where
// they are.
func (y *Yard) Close() error {
	y.io.Lock()
	y.closed = true
	y.io.Unlock()
	y.purges.Wait()
	y.io.Lock()
	defer y.io.Unlock()
	return y.shut()
}

// shut lets go of the yard: what was known of it is read again with it.
func (y *Yard) shut() error {
	y.mu.Lock()
	y.known, y.strays = map[string]*state{}, map[string]Stone{}
	y.mu.Unlock()
	var errs []error
	if y.journal != nil {
		errs = append(errs, y.journal.Close())
	}
	for _, d := range []*beneath.Dir{y.stones, y.home} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	y.journal, y.stones, y.home = nil, nil, nil
	return errors.Join(errs...)
}

// nextName returns a name that no stone has.
func (y *Yard) nextName(f Folder, plan string, at time.Time) string {
	for n := 0; ; n++ {
		name := stoneName(f, plan, at, n)
		if y.known[name] == nil && y.strays[name].Name == "" {
			return name
		}
	}
}
