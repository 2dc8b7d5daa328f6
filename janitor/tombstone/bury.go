package tombstone

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// Bury moves a folder into the yard, if it still is the folder that f
// describes; if it is another, or becomes another while it is moved, nothing
// has happened and the error is [ErrSwapped]. The stone must then be confirmed
// or restored.
func (y *Yard) Bury(f Folder, plan string, at time.Time) (Stone, error) {
	parent, name := split(f.Rel)
	from, err := y.root.OpenDir(parent)
	if err != nil {
		return Stone{}, fmt.Errorf("bury %q: %w", f.Rel, err)
	}
	defer from.Close()
	if err := is(from, name, f.Identity); err != nil {
		return Stone{}, fmt.Errorf("bury %q: %w", f.Rel, err)
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	s := Stone{
		Name: y.nextName(f, plan, at), Rel: f.Rel, Service: f.Service, Container: f.Container,
		Plan: plan, Identity: f.Identity, Buried: at.UTC(), Bytes: f.Bytes, Files: f.Files,
	}
	if err := y.bury(from, name, s); err != nil {
		return Stone{}, fmt.Errorf("bury %q: %w", f.Rel, err)
	}
	return s, nil
}

// bury writes the intent, renames, and looks at what arrived.
func (y *Yard) bury(from *beneath.Dir, name string, s Stone) error {
	if err := y.write(record{Op: opBury, Stone: &s}); err != nil {
		return err
	}
	if err := y.at("bury: intent written"); err != nil {
		return err
	}
	if err := rename(from, name, y.stones, s.Name); err != nil {
		return errors.Join(err, y.write(record{Op: opGone, Name: s.Name}))
	}
	if err := y.at("bury: renamed"); err != nil {
		return err
	}
	arrived := is(y.stones, s.Name, s.Identity)
	if arrived == nil {
		return nil
	}
	if err := rename(y.stones, s.Name, from, name); err != nil {
		y.known[s.Name].Orphan = fmt.Sprintf("it %v, and could not be put back: %v", ErrSwapped, err)
		return errors.Join(arrived, fmt.Errorf("put it back: %w", err))
	}
	return errors.Join(arrived, y.write(record{Op: opGone, Name: s.Name}))
}

// Confirm says that a second look agreed: the stones may be purged from now on.
func (y *Yard) Confirm(stones ...Stone) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if err := y.at("confirm"); err != nil {
		return err
	}
	records := make([]record, 0, len(stones))
	for _, s := range stones {
		if y.known[s.Name] == nil {
			return fmt.Errorf("confirm %q: %w", s.Rel, ErrUnknown)
		}
		records = append(records, record{Op: opConfirm, Name: s.Name})
	}
	return y.write(records...)
}

// is reports whether the named entry is the folder with this identity.
func is(in *beneath.Dir, name string, want beneath.Identity) error {
	d, err := in.OpenDir(name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSwapped, err)
	}
	defer d.Close()
	got, err := d.Identity()
	if err != nil {
		return err
	}
	if !got.Same(want) {
		return ErrSwapped
	}
	return nil
}

// rename moves one entry and never replaces another.
func rename(from *beneath.Dir, name string, to *beneath.Dir, as string) error {
	if !beneath.IsName(name) || !beneath.IsName(as) {
		return fmt.Errorf("rename %q to %q: %w", name, as, beneath.ErrName)
	}
	if err := unix.Renameat2(from.Fd(), name, to.Fd(), as, unix.RENAME_NOREPLACE); err != nil {
		return fmt.Errorf("rename %q to %q: %w", name, as, err)
	}
	return nil
}
