package tombstone

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// A Recovery is what was found and done after a start.
type Recovery struct {
	Restored []Stone // were not confirmed, or on their way back
	Resumed  []Stone // partly deleted; the next purge goes on
	Orphans  []Stone // kept and not touched: Orphan says why
}

// Recover brings the yard back to where every stone is confirmed, partly
// deleted, or an orphan. What the journal does not know is kept.
func (y *Yard) Recover() (Recovery, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	there, err := y.there()
	if err != nil {
		return Recovery{}, fmt.Errorf("recover yard of %s: %w", y.root.Path(), err)
	}
	var r Recovery
	var errs []error
	for _, s := range y.sorted() {
		if !there[s.Name] {
			errs = append(errs, y.write(record{Op: opGone, Name: s.Name}))
			continue
		}
		delete(there, s.Name)
		errs = append(errs, y.recover(s, &r))
	}
	for name := range there {
		s := &Stone{Name: name, Bytes: -1, Files: -1, Orphan: "the journal does not know it"}
		y.known[name] = s
		r.Orphans = append(r.Orphans, *s)
	}
	if y.journal.Size() > compactSize {
		errs = append(errs, y.compact())
	}
	return r, errors.Join(errs...)
}

func (y *Yard) recover(s *Stone, r *Recovery) error {
	switch {
	case s.Purging:
		r.Resumed = append(r.Resumed, *s)
	case !s.Confirmed || y.intent[s.Name] == opRestore:
		err := y.restore(s.Name)
		if err != nil {
			s.Orphan = err.Error()
			r.Orphans = append(r.Orphans, *s)
			return nil
		}
		r.Restored = append(r.Restored, *s)
	}
	return nil
}

func (y *Yard) sorted() []*Stone {
	all := make([]*Stone, 0, len(y.known))
	for _, s := range y.known {
		all = append(all, s)
	}
	slices.SortFunc(all, byName)
	return all
}

// there returns the names that are in the yard.
func (y *Yard) there() (map[string]bool, error) {
	names := map[string]bool{}
	err := y.stones.Entries(func(entries []beneath.Entry) error {
		for _, e := range entries {
			names[e.Name] = true
		}
		return nil
	})
	return names, err
}

// compact writes the journal anew with only what is still there. The lock goes
// over with the file.
func (y *Yard) compact() error {
	const next = journalName + ".next"
	if err := unix.Unlinkat(y.home.Fd(), next, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("compact journal: %w", err)
	}
	fresh, err := openNamed(y.home, next)
	if err != nil {
		return fmt.Errorf("compact journal: %w", err)
	}
	if err := write(fresh, y.records()); err != nil {
		return errors.Join(fmt.Errorf("compact journal: %w", err), fresh.Close())
	}
	if err := unix.Renameat(y.home.Fd(), next, y.home.Fd(), journalName); err != nil {
		return errors.Join(fmt.Errorf("compact journal: %w", err), fresh.Close())
	}
	old := y.journal
	y.journal = fresh
	return errors.Join(unix.Fsync(y.home.Fd()), old.Close())
}

// records says in the fewest records what the journal says now.
func (y *Yard) records() []record {
	var all []record
	for _, s := range y.sorted() {
		if strings.HasPrefix(s.Orphan, "the journal") {
			continue
		}
		all = append(all, record{Op: opBury, Stone: s})
		if s.Confirmed {
			all = append(all, record{Op: opConfirm, Name: s.Name})
		}
		if op := y.intent[s.Name]; op != "" {
			all = append(all, record{Op: op, Name: s.Name})
		}
	}
	return all
}
