package tombstone

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Restore puts a stone back where it was: the same folder, the same inode. It
// replaces nothing ([ErrOccupied]) and makes no folders ([ErrParentGone]).
func (y *Yard) Restore(s Stone) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if err := y.restore(s.Name); err != nil {
		return fmt.Errorf("restore %q: %w", s.Rel, err)
	}
	return nil
}

func (y *Yard) restore(name string) error {
	s := y.known[name]
	switch {
	case s == nil:
		return ErrUnknown
	case s.Purging || y.busy[name]:
		return ErrPurging
	}
	if err := is(y.stones, name, s.Identity); err != nil {
		return err
	}
	if err := y.write(record{Op: opRestore, Name: name}); err != nil {
		return err
	}
	if err := y.at("restore: intent written"); err != nil {
		return err
	}
	if err := y.putBack(s); err != nil {
		delete(y.intent, name)
		return err
	}
	if err := y.at("restore: renamed"); err != nil {
		return err
	}
	return y.write(record{Op: opGone, Name: name})
}

func (y *Yard) putBack(s *Stone) error {
	parent, last := split(s.Rel)
	to, err := y.root.OpenDir(parent)
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%w: make %s/%s and try again", ErrParentGone, y.root.Path(), parent)
	}
	if err != nil {
		return err
	}
	defer to.Close()
	err = rename(y.stones, s.Name, to, last)
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("%w: move %s/%s away and try again", ErrOccupied, y.root.Path(), s.Rel)
	}
	return err
}
