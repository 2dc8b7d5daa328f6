package tombstone

import (
	"errors"
	"fmt"

	"github.com/berth-dev/berth/janitor/beneath"
)

// Visit calls f with a confirmed stone, opened for reading. Meanwhile nobody can
// restore or purge it: they get [ErrPurging].
func (y *Yard) Visit(s Stone, f func(*beneath.Dir) error) error {
	dir, err := y.enter(s)
	if err != nil {
		return fmt.Errorf("visit %q: %w", s.Rel, err)
	}
	defer y.purges.Done()
	defer y.change(s.Name, func(s *state) { s.busy = false })
	return errors.Join(f(dir), dir.Close())
}

// enter opens a stone and keeps others away from it.
func (y *Yard) enter(s Stone) (*beneath.Dir, error) {
	y.io.Lock()
	defer y.io.Unlock()
	known := y.known[s.Name]
	switch {
	case y.closed:
		return nil, ErrClosed
	case known == nil:
		return nil, ErrUnknown
	case known.Orphan != "":
		return nil, errors.New(known.Orphan)
	case !known.Confirmed || known.restoring:
		return nil, ErrUnconfirmed
	case known.Purging:
		return nil, ErrPurging
	}
	if err := is(y.stones, s.Name, known.Identity); err != nil {
		return nil, err
	}
	dir, err := y.stones.OpenDir(s.Name)
	if err != nil {
		return nil, err
	}
	if err := y.occupy(s.Name); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

// busy reports whether a stone is being visited or purged.
func (y *Yard) busy(name string) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	s := y.known[name]
	return s != nil && s.busy
}
