package tombstone

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/journal"
)

// Home is the name of the yard in its root.
const Home = ".berth"

const (
	stonesName  = "tombstones"
	journalName = "journal"
)

// compactSize is how large the journal may grow before finished business is
// dropped from it.
const compactSize = 1 << 20

// A Yard holds the folders that were taken away below one root. It may be used
// from several goroutines; calls on one stone follow each other.
type Yard struct {
	root   *beneath.Root
	home   *beneath.Dir
	stones *beneath.Dir
	bad    int // journar records that could not be read

	step func(name string) error // called between steps; a test's crash

	mu      sync.Mutex // guards the fields below
	journal *journal.File
	known   map[string]*Stone // not gone, by name
	intent  map[string]string // restore or purge was begun
	count   int               // makes names unique
	busy    map[string]bool   // a purge of this stone is under way
}

// Open opens the yard of a root, making it if need be, and locks it: a second
// process gets [ErrLocked]. [Yard.Recover] must be called before anything else.
func Open(root *beneath.Root) (*Yard, error) {
	y := &Yard{root: root, known: map[string]*Stone{}, intent: map[string]string{}, busy: map[string]bool{}}
	if err := y.open(); err != nil {
		y.Close()
		return nil, fmt.Errorf("open yard %s/%s: %w", root.Path(), Home, err)
	}
	return y, nil
}

func (y *Yard) open() (err error) {
	top, err := y.root.OpenDir("")
	if err != nil {
		return err
	}
	defer top.Close()
	if y.home, err = ensure(top, Home); err != nil {
		return err
	}
	if y.stones, err = ensure(y.home, stonesName); err != nil {
		return err
	}
	if y.journal, err = openJournal(y.home); err != nil {
		return err
	}
	y.bad, err = y.journal.Replay(func(b []byte) error {
		r, err := decode(b)
		if err == nil {
			y.apply(r)
		}
		return err
	})
	return err
}

// ensure opens a folder of ours, and makes it if it is not there. One that
// others may enter or write is refused: they could put anything into it.
func ensure(in *beneath.Dir, name string) (*beneath.Dir, error) {
	if err := unix.Mkdirat(in.Fd(), name, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	d, err := in.OpenDir(name)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = unix.Fstat(d.Fd(), &st)
	switch {
	case err != nil:
	case int(st.Uid) != os.Geteuid():
		err = fmt.Errorf("%s belongs to uid %d, not to this process (uid %d)", name, st.Uid, os.Geteuid())
	case st.Mode&0o077 != 0:
		err = fmt.Errorf("%s has mode %04o: others may enter it; chmod 0700 it if nobody has", name, st.Mode&0o7777)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func openJournal(home *beneath.Dir) (*journal.File, error) { return openNamed(home, journalName) }

// openNamed opens and locks a journal file.
func openNamed(home *beneath.Dir, name string) (*journal.File, error) {
	fd, err := unix.Openat(home.Fd(), name, unix.O_RDWR|unix.O_CREAT|unix.O_APPEND|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	file := os.NewFile(uintptr(fd), name)
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return journal.New(file), nil
}

// apply takes one record of the journal into the yard's state.
func (y *Yard) apply(r record) {
	s := y.known[r.Name]
	switch {
	case r.Op == opBury && r.Stone != nil:
		y.known[r.Stone.Name] = r.Stone
	case s == nil:
	case r.Op == opConfirm:
		s.Confirmed = true
	case r.Op == opPurge:
		s.Purging, y.intent[r.Name] = true, opPurge
	case r.Op == opRestore:
		y.intent[r.Name] = opRestore
	case r.Op == opGone:
		delete(y.known, r.Name)
		delete(y.intent, r.Name)
	}
}

// write puts records on disk and then into the state. The caller holds mu.
func (y *Yard) write(records ...record) error {
	if err := write(y.journal, records); err != nil {
		return err
	}
	for _, r := range records {
		y.apply(r)
	}
	return nil
}

func write(j *journal.File, records []record) error {
	values := make([]any, len(records))
	for i, r := range records {
		values[i] = r
	}
	return j.Write(values...)
}

// Stones returns what is in the yard, oldest first.
func (y *Yard) Stones() []Stone {
	y.mu.Lock()
	defer y.mu.Unlock()
	all := make([]Stone, 0, len(y.known))
	for _, s := range slices.SortedFunc(maps.Values(y.known), byName) {
		all = append(all, *s)
	}
	return all
}

func byName(a, b *Stone) int { return cmp.Compare(a.Name, b.Name) }

// Bad is how many lines of the journal could not be read when it was opened.
func (y *Yard) Bad() int { return y.bad }

// Close gives the lock back. Stones stay where they are.
func (y *Yard) Close() error {
	var errs []error
	if y.journal != nil {
		errs = append(errs, y.journal.Close())
	}
	for _, d := range []*beneath.Dir{y.stones, y.home} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

// at is a point between two steps, where a test may crash.
func (y *Yard) at(step string) error {
	if y.step == nil {
		return nil
	}
	return y.step(step)
}

// nextName returns a name that no stone has. The caller holds mu.
func (y *Yard) nextName(f Folder, plan string, at time.Time) string {
	y.count++
	return stoneName(f, plan, at, y.count)
}
