package tombstone

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/berth-dev/berth/janitor/beneath"
)

// A Recovery is what was found and done after a start.
type Recovery struct {
	Restored []Stone // were not confirmed, or on their way back
	Resumed  []Stone // partly deleted; the next purge goes on
	Orphans  []Stone // kept and not touched: Orphan says why
	Bad      int     // lines of the journal that could not be read
}

// Recover brings the yard back to where every stone is confirmed, partly
// deleted, or an orphan. What the journal does not know is kept. It is called
// once after [Open]; calling it again changes nothing, unless a sweep is under
// way: then what that has buried and not confirmed goes back.
func (y *Yard) Recover() (Recovery, error) {
	y.io.Lock()
	defer y.io.Unlock()
	r, err := y.recover()
	if err != nil {
		return r, fmt.Errorf("recover yard of %s: %w", y.root.Path(), err)
	}
	return r, nil
}

func (y *Yard) recover() (Recovery, error) {
	if y.closed {
		return Recovery{}, ErrClosed
	}
	r := Recovery{Bad: y.Bad()}
	if y.home == nil {
		return r, nil
	}
	there, err := y.there()
	if err != nil {
		return Recovery{}, err
	}
	var errs []error
	for _, s := range slices.Backward(y.sorted()) { // the last first: where two want one place, it was there last
		if !there[s.Name] && !s.Purging {
			y.note(record{Op: opGone, Name: s.Name})
			continue
		}
		delete(there, s.Name)
		errs = append(errs, y.settle(s, &r))
	}
	y.claim(there, &r)
	slices.SortFunc(r.Orphans, byName)
	return r, errors.Join(errs...)
}

// settle decides one stone. One that is confirmed and cannot go back now, as
// somebody wanted, stays until the window ends or somebody makes room.
func (y *Yard) settle(s *state, r *Recovery) error {
	before := s.Stone
	if s.Purging {
		r.Resumed = append(r.Resumed, before)
		return nil
	}
	if s.Confirmed && !s.restoring {
		return nil
	}
	err := y.restore(s.Name)
	refused, ok := errors.AsType[refusal](err)
	switch {
	case y.known[s.Name] == nil:
		r.Restored = append(r.Restored, before)
		return err
	case !ok:
		return err
	case s.Confirmed:
		y.note(record{Op: opStay, Name: s.Name})
		return nil
	}
	y.change(s.Name, func(s *state) { s.Orphan = refused.Error() })
	r.Orphans = append(r.Orphans, s.Stone)
	return nil
}

// claim takes in the names that the journal does not know. Parts of stones
// that are being deleted belong to those.
func (y *Yard) claim(names map[string]bool, r *Recovery) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.strays = map[string]Stone{}
	for name := range names {
		if of, ok := partOf(name); ok && y.known[of] != nil && y.known[of].Purging {
			continue
		}
		s := Stone{Name: name, Bytes: -1, Files: -1, Orphan: "the journal does not know it"}
		y.strays[name] = s
		r.Orphans = append(r.Orphans, s)
	}
}

// sorted returns what the journal knows, in the order of burial.
func (y *Yard) sorted() []*state {
	return slices.SortedFunc(maps.Values(y.known), func(a, b *state) int { return cmp.Compare(a.nth, b.nth) })
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
