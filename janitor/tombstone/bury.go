package tombstone

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/internal/kernel"
)

// Bury moves a folder into the yard, if it still is the folder that f
// describes; if it is another, or becomes another while it is moved, nothing
// has happened and the error is [ErrSwapped]. The stone must then be confirmed
// or restored. If what was moved by mistake cannot go back, because its place
// was taken in that moment, it stays as an orphan, and the error says so.
func (y *Yard) Bury(f Folder, plan string, at time.Time) (Stone, error) {
	y.io.Lock()
	defer y.io.Unlock()
	s, err := y.bury(f, plan, at)
	if err != nil {
		return Stone{}, fmt.Errorf("bury %q: %w", f.Rel, err)
	}
	return s, nil
}

func (y *Yard) bury(f Folder, plan string, at time.Time) (Stone, error) {
	if first, _, _ := strings.Cut(f.Rel, "/"); first == Home {
		return Stone{}, errors.New("this is the yard itself")
	}
	parent, name := split(f.Rel)
	from, err := y.root.OpenDir(parent)
	if err != nil {
		return Stone{}, err
	}
	defer from.Close()
	if mount := f.Identity.Mount; mount != 0 && mount != y.root.Identity().Mount {
		return Stone{}, fmt.Errorf("%w: it was seen on another mount", ErrSwapped)
	}
	if err := is(from, name, f.Identity); err != nil {
		return Stone{}, err
	}
	if err := y.made(); err != nil {
		return Stone{}, err
	}
	s := Stone{
		Name: y.nextName(f, plan, at), Rel: f.Rel, Service: f.Service, Container: f.Container,
		Plan: plan, Identity: f.Identity, Buried: at.UTC(), Bytes: f.Bytes, Files: f.Files,
	}
	return s, y.take(from, name, s)
}

// take writes the intent, renames, and looks at what arrived.
func (y *Yard) take(from *beneath.Dir, name string, s Stone) error {
	if err := y.write(buried(s)); err != nil {
		return err
	}
	if err := rename(from, name, y.stones, s.Name); err != nil {
		y.note(record{Op: opGone, Name: s.Name})
		return err
	}
	arrived := is(y.stones, s.Name, s.Identity)
	if arrived == nil {
		return nil
	}
	if err := rename(y.stones, s.Name, from, name); err != nil {
		orphan := fmt.Sprintf("what was moved %v, and could not go back: %v", ErrSwapped, err)
		y.change(s.Name, func(s *state) { s.Orphan = orphan })
		return errors.Join(arrived, fmt.Errorf("it is kept in the yard as %s: put it back: %w", s.Name, err))
	}
	y.note(record{Op: opGone, Name: s.Name})
	return arrived
}

// Confirm says that a second look agreed: the stones may be purged from now on.
func (y *Yard) Confirm(stones ...Stone) error {
	y.io.Lock()
	defer y.io.Unlock()
	if y.closed {
		return fmt.Errorf("confirm: %w", ErrClosed)
	}
	records := make([]record, 0, len(stones))
	for _, s := range stones {
		known := y.known[s.Name]
		switch {
		case known == nil:
			return fmt.Errorf("confirm %q: %w", s.Rel, ErrUnknown)
		case known.Orphan != "":
			return fmt.Errorf("confirm %q: %s", s.Rel, known.Orphan)
		}
		records = append(records, record{Op: opConfirm, Name: s.Name})
	}
	return y.write(records...)
}

// is reports whether the named entry is the folder with this identity.
func is(in *beneath.Dir, name string, want beneath.Identity) error {
	got, kind, err := in.Look(name)
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: %w", ErrSwapped, err)
	case err != nil:
		return err
	case kind != beneath.Folder || !got.Same(want):
		return ErrSwapped
	}
	return nil
}

// rename moves one entry and never replaces another.
func rename(from *beneath.Dir, name string, to *beneath.Dir, as string) error {
	if !beneath.IsName(name) || !beneath.IsName(as) {
		return fmt.Errorf("rename %q to %q: %w", name, as, beneath.ErrName)
	}
	err := kernel.Renameat2(from.Fd(), name, to.Fd(), as, unix.RENAME_NOREPLACE)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EXDEV):
		err = fmt.Errorf("%w (%w)", beneath.ErrMount, err)
	}
	return fmt.Errorf("rename %q to %q: %w", name, as, err)
}
