package tombstone

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/internal/kernel"
)

// Restore puts a stone back where it was: the same folder, the same inode. It
// replaces nothing ([ErrOccupied]) and makes no folders ([ErrParentGone]).
func (y *Yard) Restore(s Stone) error {
	y.io.Lock()
	defer y.io.Unlock()
	if err := y.restore(s.Name); err != nil {
		return fmt.Errorf("restore %q: %w", s.Rel, err)
	}
	return nil
}

// A refusal is an error that leaves the stone where it is, and well.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func (y *Yard) restore(name string) error {
	s := y.known[name]
	switch {
	case y.closed:
		return ErrClosed
	case s == nil:
		return ErrUnknown
	case s.Purging, y.busy(name):
		return ErrPurging
	}
	to, last, err := y.place(s)
	if err != nil {
		return refusal{err}
	}
	defer to.Close()
	// What was not confirmed was perhaps not looked at either: it goes back
	// whatever it is, for there it came from.
	if s.Confirmed {
		if err := is(y.stones, name, s.Identity); err != nil {
			return refusal{err}
		}
	}
	if err := y.append(record{Op: opRestore, Name: name}); err != nil {
		return err
	}
	if err := y.putBack(name, s.Rel, to, last); err != nil {
		y.note(record{Op: opStay, Name: name})
		return refusal{err}
	}
	return y.back(name, to)
}

// back returns once it is on disk that a stone is back, and says so in the
// journal.
//
// That it should go back need not be on disk before the rename. Where a loss of
// power takes that from the journal and leaves the rename, the stone is not in
// the yard, and so it is gone; where it takes both, nobody was told that it is
// back, and it is a stone as before. What must not be is a journal that says
// gone before the rename is on disk: that would make an orphan of the stone.
// Where that cannot be had the journal is to say, on disk, that it is on its way
// back: should a loss of power undo the rename, it goes back again.
func (y *Yard) back(name string, to *beneath.Dir) error {
	gone := record{Op: opGone, Name: name}
	failed := errors.Join(kernel.Fsync(to.Fd()), kernel.Fsync(y.stones.Fd()))
	if failed == nil {
		y.note(gone)
		return nil
	}
	err := y.write() // nothing, but what is there is on disk with it
	if y.took(gone); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsynced, errors.Join(failed, err))
	}
	return nil
}

// place opens the folder that a stone goes back into and makes sure that its
// name there is free.
func (y *Yard) place(s *state) (to *beneath.Dir, name string, err error) {
	parent, name := split(s.Rel)
	to, err = y.root.OpenDir(parent)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, beneath.ErrNotFolder), errors.Is(err, beneath.ErrSymlink):
		return nil, "", fmt.Errorf("%w: make %q below %q again and try once more (%w)", ErrParentGone, parent, y.root.Path(), err)
	case err != nil:
		return nil, "", err
	}
	_, _, err = to.Look(name)
	if errors.Is(err, unix.ENOENT) {
		return to, name, nil
	}
	if err == nil || errors.Is(err, beneath.ErrMount) {
		err = y.occupied(s.Rel)
	}
	to.Close()
	return nil, "", err
}

func (y *Yard) occupied(rel string) error {
	return fmt.Errorf("%w: move %q below %q away and try again", ErrOccupied, rel, y.root.Path())
}

func (y *Yard) putBack(name, rel string, to *beneath.Dir, last string) error {
	err := rename(y.stones, name, to, last)
	if errors.Is(err, unix.EEXIST) {
		return y.occupied(rel)
	}
	return err
}
