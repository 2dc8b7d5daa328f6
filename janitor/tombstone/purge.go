package tombstone

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// Purge deletes a confirmed stone for good and returns the bytes on disk that
// came free: those of files without another name. Of a stone that was measured
// that is what was measured, or so much of it as the files are that were
// deleted: to look at each of them again costs a tenth of deleting it. It goes
// on past what it cannot delete, and returns that as an error and keeps it as
// the stone's Fault; the stone then stays, and the next call goes on. It never
// crosses a mount ([beneath.ErrMount]), and it ends however fast somebody keeps
// writing ([ErrBusy]). Several stones may be purged at once.
func (y *Yard) Purge(ctx context.Context, s Stone) (freed int64, err error) {
	stone, resumed, err := y.begin(s.Name)
	if err != nil {
		return 0, fmt.Errorf("purge %q: %w", s.Rel, err)
	}
	p := &purge{ctx: ctx, yard: y, stone: s.Name, known: !resumed && stone.Bytes >= 0 && stone.Files > 0}
	err = y.end(s.Name, p.all(resumed))
	if p.known {
		p.freed = share(stone, p.files)
	}
	if err != nil {
		return p.freed, fmt.Errorf("purge %q: %w", s.Rel, err)
	}
	return p.freed, nil
}

// share is how many of the bytes that a stone was measured to have so many of
// its files are: all with all of them, and never more than all.
func share(s Stone, files int64) int64 {
	if files >= s.Files {
		return s.Bytes
	}
	return int64(float64(s.Bytes) * float64(files) / float64(s.Files))
}

// Intend writes the intent to purge stones with one sync for all of them, where
// each [Yard.Purge] would need its own. From then on they cannot be restored.
// Those that Purge will refuse are left out.
func (y *Yard) Intend(stones ...Stone) error {
	y.io.Lock()
	defer y.io.Unlock()
	var records []record
	for _, s := range stones {
		if known := y.known[s.Name]; y.purgeable(known) == nil && !known.Purging && is(y.stones, s.Name, known.Identity) == nil {
			records = append(records, record{Op: opPurge, Name: s.Name})
		}
	}
	if len(records) == 0 {
		return nil
	}
	if err := y.write(records...); err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	for _, r := range records {
		y.change(r.Name, func(s *state) { s.intact = true })
	}
	return nil
}

// purgeable returns why a stone cannot be purged.
func (y *Yard) purgeable(s *state) error {
	switch {
	case y.closed:
		return ErrClosed
	case s == nil:
		return ErrUnknown
	case s.Orphan != "":
		return errors.New(s.Orphan)
	case !s.Confirmed || s.restoring:
		return ErrUnconfirmed
	}
	return nil
}

// begin makes sure of the intent: after a crash a stone is whole, or known to
// be partly deleted.
func (y *Yard) begin(name string) (stone Stone, resumed bool, err error) {
	y.io.Lock()
	defer y.io.Unlock()
	s := y.known[name]
	if err := y.purgeable(s); err != nil {
		return Stone{}, false, err
	}
	stone = s.Stone
	if s.Purging {
		resumed := !s.intact
		return stone, resumed, y.occupy(name)
	}
	err = is(y.stones, name, s.Identity)
	if errors.Is(err, unix.ENOENT) {
		y.note(record{Op: opGone, Name: name})
		return Stone{}, false, ErrUnknown
	}
	if err == nil {
		err = y.write(record{Op: opPurge, Name: name})
	}
	if err != nil {
		return Stone{}, false, err
	}
	return stone, false, y.occupy(name)
}

// occupy keeps a second purge away from a stone.
func (y *Yard) occupy(name string) error {
	err := ErrPurging
	y.change(name, func(s *state) {
		if !s.busy {
			s.busy, s.intact, err = true, false, nil
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
		y.note(record{Op: opGone, Name: name})
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
	return nil
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
			return nil
		case errors.Is(err, unix.ENOENT):
			return nil
		case !errors.Is(err, unix.EEXIST):
			p.keep(d, name, err)
			return nil
		}
	}
}
