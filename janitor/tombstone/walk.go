package tombstone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/internal/kernel"
)

const (
	maxDepth   = 32         // folders below each other that are open at once
	maxPasses  = 3          // over one folder that does not get empty
	maxErrors  = 8          // kept of those that one purge meets
	maxEntries = 20_000_000 // looked at in one call
)

// A purge is one walk through a stone.
type purge struct {
	ctx     context.Context
	yard    *Yard
	stone   string
	parts   []string // names in the yard of what lay too deep
	hoisted int      // number of the newest part
	known   bool     // it was measured: files need not be looked at
	freed   int64    // bytes of the files that were
	files   int64    // unlinked: all that is no folder
	entries int
	path    []string // where the walk is, below the stone or a part
	errs    []error  // the first few
	failed  int      // how many there were
}

// folder empties and removes a folder, in as many passes as it takes and no
// more than maxPasses. The error is one that ends the whole walk; others are
// kept.
func (p *purge) folder(in *beneath.Dir, name string, depth int) error {
	d, err := in.OpenDir(name)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil
	case errors.Is(err, beneath.ErrNotFolder), errors.Is(err, beneath.ErrSymlink):
		p.unlink(in, name) // it was exchanged since it was listed
		return nil
	case err != nil:
		p.keep(in, name, err)
		return nil
	}
	defer d.Close()
	failed := p.failed
	for range maxPasses {
		if err := p.pass(d, name, depth); err != nil || p.failed > failed {
			return err
		}
		if p.rmdir(in, name) {
			return nil
		}
	}
	p.keep(in, name, ErrBusy)
	return nil
}

// pass deletes what is in a folder now; for the stone itself also what lay too
// deep in it.
func (p *purge) pass(d *beneath.Dir, name string, depth int) error {
	if depth > 0 { // messages are about what is below the stone
		p.path = append(p.path, name)
		defer func() { p.path = p.path[:len(p.path)-1] }()
	}
	err := d.Entries(func(entries []beneath.Entry) error { return p.batch(d, entries, depth) })
	if err == nil && depth == 0 {
		err = p.deep()
	}
	return err
}

// rmdir removes a folder that should be empty, and reports whether there is
// nothing more to be done about it.
func (p *purge) rmdir(in *beneath.Dir, name string) (done bool) {
	err := kernel.Unlinkat(in.Fd(), name, unix.AT_REMOVEDIR)
	switch {
	case err == nil, errors.Is(err, unix.ENOENT):
	case errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.EEXIST):
		return false
	default:
		p.keep(in, name, err)
	}
	return true
}

func (p *purge) batch(d *beneath.Dir, entries []beneath.Entry, depth int) error {
	for i, e := range entries {
		if i%64 == 0 && p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		if p.entries++; p.entries > maxEntries {
			return ErrUnfinished
		}
		if err := p.entry(d, e, depth); err != nil {
			return err
		}
	}
	return nil
}

func (p *purge) entry(d *beneath.Dir, e beneath.Entry, depth int) error {
	if e.Kind != beneath.Folder && p.unlink(d, e.Name) {
		return nil
	}
	if depth == maxDepth {
		return p.hoist(d, e.Name)
	}
	return p.folder(d, e.Name, depth+1)
}

// unlink removes an entry that is no folder, and reports false if it is one.
func (p *purge) unlink(d *beneath.Dir, name string) bool {
	size := int64(0)
	if !p.known {
		size = onDisk(d, name)
	}
	err := kernel.Unlinkat(d.Fd(), name, 0)
	switch {
	case err == nil:
		p.files++
		p.freed += size
	case errors.Is(err, unix.EISDIR):
		return false
	case !errors.Is(err, unix.ENOENT):
		p.keep(d, name, err)
	}
	return true
}

// onDisk is what unlinking this name gives back: nothing while the file has
// another one.
func onDisk(d *beneath.Dir, name string) int64 {
	var st unix.Stat_t
	if err := unix.Fstatat(d.Fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return 0
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 {
		return 0
	}
	return st.Blocks * 512
}

// keep takes note of what could not be removed, and why.
func (p *purge) keep(d *beneath.Dir, name string, err error) {
	if p.failed++; len(p.errs) < maxErrors {
		place := strings.Join(append(slices.Clip(p.path), name), "/")
		p.errs = append(p.errs, fmt.Errorf("remove %q: %w", place, why(d, name, err)))
	}
}

func (p *purge) faults() error {
	if more := p.failed - len(p.errs); more > 0 {
		return errors.Join(append(p.errs, fmt.Errorf("and %d more", more))...)
	}
	return errors.Join(p.errs...)
}

// why says what an operator can do about an error.
func why(d *beneath.Dir, name string, err error) error {
	switch {
	case errors.Is(err, beneath.ErrMount):
		return err
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w: unmount it (%w)", beneath.ErrMount, err)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("this process has not the right to (CAP_DAC_OVERRIDE): %w", err)
	case !errors.Is(err, unix.EPERM):
		return err
	case isFixed(d.Fd(), name):
		return fmt.Errorf("it is immutable or append-only, chattr -ia it: %w", err)
	case isFixed(d.Fd(), ""):
		return fmt.Errorf("the folder it is in is immutable or append-only, chattr -ia that: %w", err)
	default:
		return fmt.Errorf("this process has not the right to (CAP_FOWNER): %w", err)
	}
}

// isFixed reports whether an entry, or with an empty name the folder itself,
// has an attribute that keeps even root from removing it.
func isFixed(fd int, name string) bool {
	flags := unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT
	if name == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	var st unix.Statx_t
	err := unix.Statx(fd, name, flags, unix.STATX_TYPE, &st)
	return err == nil && st.Attributes&(unix.STATX_ATTR_IMMUTABLE|unix.STATX_ATTR_APPEND) != 0
}
