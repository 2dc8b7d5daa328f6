package logs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-dev/berth/janitor/archive"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/ledger"
	"github.com/berth-dev/berth/janitor/tombstone"
)

// A Root is a folder below which containers have log folders.
type Root struct {
	Path    string // absolute and clean
	Pattern Pattern
}

// An Event is something the sweeper did, for people who watch.
type Event struct {
	Type      string // logs.removed, logs.restored, logs.purged, logs.refused, logs.blind
	Folder    string
	Service   string
	Container string
	Message   string
	Bytes     int64
}

// A Sweeper deletes the log folders of dead containers. Its methods may be
// called from many goroutines. One at a time looks and decides; what is
// decided to be deleted for good is deleted while the next one looks.
type Sweeper struct {
	Roots  []Root
	Lister Lister
	Ledger *ledger.Ledger
	Audit  *audit.Log
	Log    *slog.Logger
	Notify func(Event)      // may be nil
	Now    func() time.Time // nil: time.Now

	Policy      Policy
	Undo        time.Duration // how long a removed folder can be restored
	Settle      time.Duration // how long after a start of the Engine or the host nothing is deleted
	Late        time.Duration // how long a destroy event may be behind the listing that shows its effect; 0: 2 s
	Proc        string        // the process table; empty: /proc
	RotateAfter time.Duration // how long a file of a living container must be closed and unchanged to be compressed; 0: never
	Archive     string        // folder for what is deleted for good; empty: none
	First       time.Duration // after the ledger was made scheduled sweeps only plan for so long

	Room     func(folder string, bytes int64) error // whether the archive may take so many more; nil: it may
	Pace     func(context.Context) error            // called before each folder is deleted for good; may pause. nil: no pauses
	Pressure func(root string) Pressure             // how short of space a root's file system is now; nil: never

	mu     sync.Mutex // held over a sweep; guards the fields below
	ground []*ground
	plans  []choice          // of the last few, newest last
	codes  map[string]string // why each folder was last kept, by path
	blind  string            // why the last sweep was
	failed map[string]time.Time
	dying  map[place]bool // stones that are being deleted, while mu is free
	wake   chan struct{}
	saver  *archive.Folder // nil: not opened yet

	once   sync.Once // sets made
	made   time.Time
	stats  counters
	states atomic.Pointer[[]RootState] // as open has seen them
}

// ground is one root and what is known of it.
type ground struct {
	Root
	dir   *beneath.Root // nil: could not be opened
	yard  *tombstone.Yard
	fault string // why it is not swept; empty if it is
}

func (s *Sweeper) now() time.Time {
	if s.Now != nil {
		return s.Now().UTC()
	}
	return time.Now().UTC()
}

// begun is when this sweeper was first used.
func (s *Sweeper) begun() time.Time {
	s.once.Do(func() { s.made = s.now() })
	return s.made
}

func (s *Sweeper) proc() string { return cmp.Or(s.Proc, "/proc") }

func (s *Sweeper) notify(e Event) {
	if s.Notify != nil {
		s.Notify(e)
	}
}

// open opens the roots that are not open, and lets go of those that are no
// longer what they were. A root that cannot be opened is left out and tried
// again next time. The caller holds mu.
func (s *Sweeper) open() {
	if s.ground == nil {
		s.begun()
		s.codes, s.failed, s.dying = map[string]string{}, map[string]time.Time{}, map[place]bool{}
		for _, r := range s.Roots {
			s.ground = append(s.ground, &ground{Root: r})
		}
	}
	states := make([]RootState, 0, len(s.ground))
	for _, g := range s.ground {
		before := g.fault
		if err := s.openOne(g); err != nil {
			g.fault = err.Error()
		} else {
			g.fault = ""
		}
		if g.fault != before && g.fault != "" {
			s.Log.Warn("log root is not swept", "root", g.Path, "err", g.fault)
		}
		states = append(states, RootState{g.Root, g.fault})
	}
	s.states.Store(&states)
}

func (s *Sweeper) openOne(g *ground) error {
	if g.dir != nil {
		err := g.dir.Verify()
		if err == nil {
			err = g.dir.Writable()
		}
		if err == nil {
			return nil
		}
		g.close()
		return err
	}
	dir, err := beneath.Open(g.Path)
	if err != nil {
		return err
	}
	if err = dir.Writable(); err == nil {
		g.yard, err = tombstone.Open(dir)
	}
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	g.dir = dir
	return s.recover(g)
}

func (g *ground) close() {
	if g.yard != nil {
		_ = g.yard.Close()
	}
	if g.dir != nil {
		_ = g.dir.Close()
	}
	g.dir, g.yard = nil, nil
}

// recover finishes or rolls back what a crash has cut short (J5).
func (s *Sweeper) recover(g *ground) error {
	r, err := g.yard.Recover()
	if err != nil {
		g.close()
		return err
	}
	if err := g.yard.Prepare(); err != nil { // every burial tries again
		s.Log.Warn("nothing can be removed yet", "root", g.Path, "err", err)
	}
	var records []audit.Record
	for _, stone := range r.Restored {
		records = append(records, g.record(audit.Recovered, stone, CodeBlind, "the sweep that removed it did not end; it is back", "start"))
	}
	for _, stone := range r.Orphans {
		records = append(records, g.record(audit.Refused, stone, CodeOrphan, stone.Orphan, "start"))
		s.Log.Warn("orphan in the yard", "root", g.Path, "folder", stone.Name, "err", stone.Orphan)
	}
	if len(records) > 0 || len(r.Resumed) > 0 {
		s.Log.Info("recovered log root", "root", g.Path, "restored", len(r.Restored), "resumed", len(r.Resumed), "orphans", len(r.Orphans))
	}
	return s.write(records)
}

func (g *ground) record(action string, stone tombstone.Stone, code, reason, by string) audit.Record {
	return audit.Record{
		Action: action, Path: g.Path + "/" + stone.Rel, Service: stone.Service, Container: stone.Container,
		Plan: stone.Plan, Code: code, Reason: reason, Bytes: max(stone.Bytes, 0), By: by,
	}
}

// write puts records into the audit, all with the present time.
func (s *Sweeper) write(records []audit.Record) error {
	now := s.now()
	for i := range records {
		records[i].Time = now
	}
	if err := s.Audit.Append(records...); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// tally counts what is in the yards. The caller holds mu.
func (s *Sweeper) tally() {
	held, restorable := int64(0), int64(0)
	for _, g := range s.restorable() {
		held += max(g.stone.Bytes, 0)
		restorable++
	}
	s.stats.held.Store(held)
	s.stats.restorable.Store(restorable)
}

// Close gives the roots back. Removed folders stay restorable.
func (s *Sweeper) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.ground {
		g.close()
	}
	s.ground = []*ground{} // not to be opened again
}

// on returns the root with this path, if it can be swept.
func (s *Sweeper) on(path string) *ground {
	i := slices.IndexFunc(s.ground, func(g *ground) bool { return g.Path == path && g.dir != nil })
	if i < 0 {
		return nil
	}
	return s.ground[i]
}

// look gathers the facts for a plan of some folders, in the order that J1 asks
// for. The caller holds mu.
func (s *Sweeper) look(ctx context.Context, which func(Folder) bool, how depth) Facts {
	folders, notes := s.scan(ctx, which)
	return s.examine(ctx, folders, notes, how)
}

// scan finds the folders in all roots.
func (s *Sweeper) scan(ctx context.Context, which func(Folder) bool) (folders []Folder, notes []string) {
	s.open()
	for _, g := range s.ground {
		if g.dir == nil {
			notes = append(notes, g.fault)
			continue
		}
		found, said, err := scan(ctx, g.dir, g.Pattern)
		if err != nil {
			g.fault = err.Error()
			notes = append(notes, g.fault)
			continue
		}
		folders, notes = append(folders, found...), append(notes, said...)
	}
	return slices.DeleteFunc(folders, func(f Folder) bool { return !which(f) }), notes
}

// examine asks everybody about the folders that a scan has found before.
func (s *Sweeper) examine(ctx context.Context, folders []Folder, notes []string, how depth) Facts {
	names := make([]string, len(folders))
	for i, folder := range folders {
		names[i] = folder.Name
	}
	f := s.witnesses(ctx, names)
	f.Folders, f.Notes, f.Pressure = folders, notes, map[string]Pressure{}
	for _, g := range s.ground {
		f.Pressure[g.Path] = s.pressure(g)
	}
	s.identify(&f)
	s.measure(ctx, &f, how)
	return f
}

// Bounds of the look into one candidate.
const (
	maxEntries = 2_000_000
	maxInodes  = 4096
)

// identify looks at the folders whose containers are not listed. What cannot be
// entered is left out and noted.
func (s *Sweeper) identify(f *Facts) {
	listed := f.living().listed
	known := f.Folders[:0]
	for _, folder := range f.Folders {
		if _, ok := listed[folder.Name]; ok {
			known = append(known, folder)
			continue
		}
		g := s.on(folder.Root)
		if g == nil {
			continue
		}
		found, err := identify(g.dir, &folder)
		if err != nil && len(f.Notes) < maxNotes {
			f.Notes = append(f.Notes, fmt.Sprintf("%q is left alone: %v", folder.Path(), err))
		}
		if found {
			known = append(known, folder)
		}
	}
	f.Folders = known
}

// A depth is which folders are looked into.
type depth int

const (
	candidates depth = iota // those that would otherwise go
	everything              // those of living containers as well, which may take long
)

// measure looks into the folders that would otherwise go, or into all.
func (s *Sweeper) measure(ctx context.Context, f *Facts, how depth) {
	f.Measured = map[string]Measured{}
	inodes := map[beneath.Inode]string{}
	began := time.Now()
	for _, d := range s.unmeasured(*f, how) {
		if limit := s.Policy.Limit.Time; limit > 0 && how == candidates && time.Since(began) > limit {
			f.Notes = append(f.Notes, fmt.Sprintf("%s and what follows was not looked into: one sweep takes %v", d.Path(), limit))
			break
		}
		usage, err := s.usage(ctx, d.Folder)
		for inode := range usage.Inodes {
			inodes[inode] = d.Path()
		}
		usage.Inodes = nil
		f.Measured[d.Path()] = Measured{Usage: usage, Err: err}
	}
	open, hidden := openFiles(s.proc(), inodes)
	for path, who := range open {
		m := f.Measured[path]
		m.Open = fmt.Sprintf("process %d (%q)", who.pid, who.name)
		f.Measured[path] = m
	}
	s.stats.hidden.Store(int64(hidden))
}

// unmeasured returns the decisions on the folders to look into, sorted by path.
func (s *Sweeper) unmeasured(f Facts, how depth) []Decision {
	if how == candidates { // the listed ones are most of them, and none of these
		listed, all := f.living().listed, f.Folders
		f.Folders = nil
		for _, folder := range all {
			if _, ok := listed[folder.Name]; !ok {
				f.Folders = append(f.Folders, folder)
			}
		}
	}
	all := MakePlan(f, s.Policy, s.now()).Decisions
	return slices.DeleteFunc(all, func(d Decision) bool { return d.Code != CodeUnmeasured && how == candidates })
}

func (s *Sweeper) usage(ctx context.Context, f Folder) (beneath.Usage, error) {
	g := s.on(f.Root)
	if g == nil {
		return beneath.Usage{}, fmt.Errorf("root %s is gone", f.Root)
	}
	d, err := g.dir.OpenDir(f.Rel)
	if err != nil {
		return beneath.Usage{}, err
	}
	defer d.Close()
	return d.Measure(ctx, beneath.Limits{Entries: maxEntries, Inodes: maxInodes})
}
