package logs

import (
	"context"
	"errors"
	"fmt"

	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/rotate"
)

// Rotate compresses old, closed files in the folders of living containers, as a
// plan has found them. It returns how many files, and the bytes that came free.
// Without [Sweeper.RotateAfter] it does nothing.
func (s *Sweeper) Rotate(ctx context.Context, p Plan, by string) (files int, freed int64, err error) {
	if s.RotateAfter == 0 {
		return 0, 0, nil
	}
	var errs []error
	for _, d := range p.Decisions {
		if d.Code != CodeListed || ctx.Err() != nil {
			continue
		}
		r, err := s.rotateOne(ctx, d)
		if err != nil {
			errs = append(errs, fmt.Errorf("compress in %s: %w", d.Path(), err))
			continue
		}
		files += r.Files
		freed += r.Before - r.After
		if r.Files > 0 {
			errs = append(errs, s.write([]audit.Record{{
				Action: audit.Compressed, Path: d.Path(), Service: d.Service, Container: d.Name, Code: d.Code, By: by,
				Bytes: r.Before - r.After, Reason: fmt.Sprintf("%d files that nobody had open, %d bytes, now take %d", r.Files, r.Before, r.After),
			}}))
		}
	}
	return files, freed, errors.Join(errs...)
}

func (s *Sweeper) rotateOne(ctx context.Context, d Decision) (r rotate.Report, err error) {
	dir, err := s.enter(d.Folder)
	if dir == nil {
		return r, err
	}
	defer dir.Close()
	rotator := rotate.Rotator{After: s.RotateAfter, Now: s.now}
	if s.Room != nil {
		rotator.Room = func(bytes int64) error { return s.Room(d.Root, bytes) }
	}
	if r, err = rotator.Rotate(ctx, dir); r.Kept > 0 {
		s.Log.Debug("keep old files as they are", "folder", d.Path(), "files", r.Kept, "reason", r.Reason)
	}
	return r, err
}

// enter opens a folder; nil if its root cannot be swept now.
func (s *Sweeper) enter(f Folder) (*beneath.Dir, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.on(f.Root)
	if g == nil {
		return nil, nil
	}
	return g.dir.OpenDir(f.Rel)
}
