package tombstone

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

const (
	maxDepth  = 32 // folders below each other that are open at once
	maxPasses = 3  // over one folder that does not get empty
	maxErrors = 8  // kept of those that one purge meets
)

// Purge deletes a confirmed stone for good and returns the bytes on disk that
// came free: those of files without another name. It goes on past what it
// cannot delete, and returns that as an error; the stone then stays, and the
// next call goes on. A mount inside is never crossed.
func (y *Yard) Purge(ctx context.Context, s Stone) (freed int64, err error) {
	if err := y.begin(s); err != nil {
		return 0, fmt.Errorf("purge %q: %w", s.Rel, err)
	}
	defer y.end(s)
	p := &purge{ctx: ctx, yard: y}
	err = p.stone(s.Name)
	if err == nil {
		y.mu.Lock()
		defer y.mu.Unlock()
		err = y.write(record{Op: opGone, Name: s.Name})
	}
	if err != nil {
		return p.freed, fmt.Errorf("purge %q: %w", s.Rel, err)
	}
	return p.freed, nil
}

// begin writes the intent. It needs no sync of its own beyond the journal's:
// after a crash a stone is whole, or known to be partly deleted.
func (y *Yard) begin(s Stone) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	known := y.known[s.Name]
	switch {
	case known == nil:
		return ErrUnknown
	case known.Orphan != "":
		return errors.New(known.Orphan)
	case !known.Confirmed || y.intent[s.Name] == opRestore:
		return ErrUnconfirmed
	case y.busy[s.Name]:
		return ErrPurging
	}
	if !known.Purging {
		if err := is(y.stones, s.Name, known.Identity); err != nil {
			return err
		}
		if err := y.write(record{Op: opPurge, Name: s.Name}); err != nil {
			return err
		}
	}
	if err := y.at("purge: intent written"); err != nil {
		return err
	}
	y.busy[s.Name] = true
	return nil
}

func (y *Yard) end(s Stone) {
	y.mu.Lock()
	defer y.mu.Unlock()
	delete(y.busy, s.Name)
}

// A purge is one walk through a stone.
type purge struct {
	ctx     context.Context
	yard    *Yard
	top     *beneath.Dir
	hoisted int
	freed   int64
	errs    []error
}

// stone empties the stone and removes it. Each hoist puts more into the top,
// so the top is gone over as long as there was one.
func (p *purge) stone(name string) (err error) {
	if p.top, err = p.yard.stones.OpenDir(name); err != nil {
		return err
	}
	defer p.top.Close()
	for before := -1; before != p.hoisted && len(p.errs) == 0; {
		before = p.hoisted
		if err := p.empty(p.top, 0); err != nil {
			return err
		}
	}
	if len(p.errs) > 0 {
		return errors.Join(p.errs...)
	}
	if err := p.yard.at("purge: emptied"); err != nil {
		return err
	}
	err = unix.Unlinkat(p.yard.stones.Fd(), name, unix.AT_REMOVEDIR)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		return ErrBusy
	}
	if err != nil {
		return fmt.Errorf("remove stone: %w", err)
	}
	return p.yard.at("purge: removed")
}

// empty deletes what is in a folder, in as many passes as it takes and no more
// than maxPasses. Only a cancelled context ends it early.
func (p *purge) empty(d *beneath.Dir, depth int) error {
	for range maxPasses {
		seen, errs := 0, len(p.errs)
		err := d.Entries(func(entries []beneath.Entry) error {
			seen += len(entries)
			if err := p.yard.at("purge: batch"); err != nil {
				return err
			}
			return p.batch(d, entries, depth)
		})
		if err != nil {
			return err
		}
		if seen == 0 || len(p.errs) > errs {
			return nil
		}
	}
	return nil
}

func (p *purge) batch(d *beneath.Dir, entries []beneath.Entry, depth int) error {
	for i, e := range entries {
		if i%64 == 0 && p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		if err := p.entry(d, e, depth); err != nil {
			return err
		}
	}
	return nil
}

func (p *purge) entry(d *beneath.Dir, e beneath.Entry, depth int) error {
	if e.Kind != beneath.Folder {
		size := onDisk(d, e.Name)
		err := unix.Unlinkat(d.Fd(), e.Name, 0)
		switch {
		case err == nil:
			p.freed += size
			return nil
		case errors.Is(err, unix.ENOENT):
			return nil
		case !errors.Is(err, unix.EISDIR):
			p.keep("remove", e.Name, err)
			return nil
		}
	}
	if depth == maxDepth {
		p.hoist(d, e.Name)
		return nil
	}
	return p.folder(d, e.Name, depth)
}

// folder empties and removes a folder below d.
func (p *purge) folder(d *beneath.Dir, name string, depth int) error {
	sub, err := d.OpenDir(name)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil
	case errors.Is(err, beneath.ErrNotFolder), errors.Is(err, beneath.ErrSymlink):
		if err := unix.Unlinkat(d.Fd(), name, 0); err != nil && !errors.Is(err, unix.ENOENT) {
			p.keep("remove", name, err)
		}
		return nil
	case err != nil:
		p.keep("enter", name, err)
		return nil
	}
	defer sub.Close()
	before := len(p.errs)
	if err := p.empty(sub, depth+1); err != nil {
		return err
	}
	err = unix.Unlinkat(d.Fd(), name, unix.AT_REMOVEDIR)
	switch {
	case err == nil, errors.Is(err, unix.ENOENT), len(p.errs) > before:
	case errors.Is(err, unix.ENOTEMPTY):
		p.keep("remove", name, ErrBusy)
	default:
		p.keep("remove", name, err)
	}
	return nil
}

// hoist moves a folder that lies too deep up into the stone's top, so that no
// depth needs more than maxDepth descriptors.
func (p *purge) hoist(d *beneath.Dir, name string) {
	for range 1000 {
		p.hoisted++
		err := rename(d, name, p.top, ".hoisted-"+strconv.Itoa(p.hoisted))
		if errors.Is(err, unix.EEXIST) {
			continue
		}
		if err != nil && !errors.Is(err, unix.ENOENT) {
			p.keep("hoist", name, err)
		}
		return
	}
}

func (p *purge) keep(verb, name string, err error) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, fmt.Errorf("%s %q: %w", verb, name, err))
	}
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
