package tombstone

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// Purge deletes a confirmed stone for good and returns the bytes on disk that
// came free: those of files without another name. It goes on past what it
// cannot delete, and returns that as an error and keeps it as the stone's
// Fault; the stone then stays, and the next call goes on. It never crosses a
// mount ([beneath.ErrMount]), and it ends however fast somebody keeps writing
// ([ErrBusy]). Several stones may be purged at once.
func (y *Yard) Purge(ctx context.Context, s Stone) (freed int64, err error) {
	resumed, err := y.begin(s.Name)
	if err != nil {
		return 0, fmt.Errorf("purge %q: %w", s.Rel, err)
	}
	p := &purge{ctx: ctx, yard: y, stone: s.Name}
	err = y.end(s.Name, p.all(resumed))
	if err != nil {
		return p.freed, fmt.Errorf("purge %q: %w", s.Rel, err)
	}
	return p.freed, nil
}

// begin writes the intent: after a crash a stone is whole, or known to be
// partly deleted.
func (y *Yard) begin(name string) (resumed bool, err error) {
	y.io.Lock()
	defer y.io.Unlock()
	s := y.known[name]
	switch {
	case y.closed:
		return false, ErrClosed
	case s == nil:
		return false, ErrUnknown
	case s.Orphan != "":
		return false, errors.New(s.Orphan)
	case !s.Confirmed || s.restoring:
		return false, ErrUnconfirmed
	}
	resumed = s.Purging
	if !resumed {
		err := is(y.stones, name, s.Identity)
		if errors.Is(err, unix.ENOENT) {
			return false, errors.Join(ErrUnknown, y.note(record{Op: opGone, Name: name}))
		}
		if err != nil {
			return false, err
		}
		if err := y.write(record{Op: opPurge, Name: name}); err != nil {
			return false, err
		}
	}
	if err := y.at("purge: intent written"); err != nil {
		return false, err
	}
	return resumed, y.occupy(name)
}

// occupy keeps a second purge away from a stone.
func (y *Yard) occupy(name string) error {
	err := ErrPurging
	y.change(name, func(s *state) {
		if !s.busy {
			s.busy, err = true, nil
		}
	})
	if err == nil {
		y.purges.Add(1)
	}
	return err
}

// end writes that the stone is gone, or keeps why it is not.
func (y *Yard) end(name string, err error) error {
	defer y.purges.Done()
	y.io.Lock()
	defer y.io.Unlock()
	if err == nil {
		err = y.note(record{Op: opGone, Name: name})
	}
	y.change(name, func(s *state) {
		if s.busy = false; err != nil {
			s.Fault = err.Error()
		}
	})
	return err
}

// all empties the stone, then the parts of it that lay too deep, and removes
// the stone last: as long as there is a part there is the stone.
func (p *purge) all(resumed bool) error {
	if resumed {
		if err := p.leftovers(); err != nil {
			return err
		}
	}
	if err := p.folder(p.yard.stones, p.stone, 0); err != nil {
		return errors.Join(append(p.errs, err)...)
	}
	// Not emptied, where the stone itself was gone already.
	if err := p.deep(); err != nil {
		return errors.Join(append(p.errs, err)...)
	}
	if p.failed > 0 {
		return p.faults()
	}
	return p.yard.at("purge: removed")
}

// leftovers finds the parts that an earlier call has left.
func (p *purge) leftovers() error {
	d, err := p.yard.home.OpenDir(stonesName)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Entries(func(entries []beneath.Entry) error {
		for _, e := range entries {
			if of, ok := partOf(e.Name); ok && of == p.stone {
				p.parts = append(p.parts, e.Name)
			}
		}
		return nil
	})
}

// deep deletes the parts, which may give more.
func (p *purge) deep() error {
	for len(p.parts) > 0 {
		last := p.parts[len(p.parts)-1]
		p.parts = p.parts[:len(p.parts)-1]
		if err := p.folder(p.yard.stones, last, 1); err != nil {
			return err
		}
	}
	return nil
}

// hoist moves a folder that lies too deep into the yard, as a part of the
// stone, so that no depth needs more than maxDepth descriptors. Only we can
// have taken a name there, in an earlier call.
func (p *purge) hoist(d *beneath.Dir, name string) error {
	for {
		p.hoisted++
		part := partName(p.stone, p.hoisted)
		err := rename(d, name, p.yard.stones, part)
		switch {
		case err == nil:
			p.parts = append(p.parts, part)
			return p.yard.at("purge: hoisted")
		case errors.Is(err, unix.ENOENT):
			return nil
		case !errors.Is(err, unix.EEXIST):
			p.keep(d, name, err)
			return nil
		}
	}
}
