package logs

import (
	"context"
	"errors"
	"fmt"

	"github.com/berth-dev/berth/janitor/archive"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/beneath"
)

// A saver opens the archive when it is first needed. The caller holds mu.
func (s *Sweeper) archive() func() (*archive.Folder, error) {
	if s.Archive == "" {
		return nil
	}
	if s.saver == nil {
		var err error
		if s.saver, err = archive.Open(s.Archive); err != nil {
			return func() (*archive.Folder, error) { return nil, err }
		}
	}
	saver := s.saver
	return func() (*archive.Folder, error) { return saver, nil }
}

// save archives a stone that is about to be purged. With an error it must not
// be: who wants archives does not want to lose what could not be archived. But
// what the archive has no room for goes without, for its space is needed; and
// what is partly deleted, or was archived before, is not archived again.
func (s *Sweeper) save(ctx context.Context, open func() (*archive.Folder, error), g grave, by string) error {
	if open == nil || g.stone.Purging {
		return nil
	}
	if s.pressure(g.ground) >= Emergency {
		return s.saved(g, "not archived: the disk is full", by)
	}
	folder, err := open()
	if err != nil {
		return err
	}
	meta := archive.Meta{Service: g.stone.Service, Container: g.stone.Container, Removed: g.stone.Buried, Bytes: max(g.stone.Bytes, 0)}
	var saved archive.Saved
	err = g.yard.Visit(g.stone, func(dir *beneath.Dir) (err error) {
		saved, err = folder.Save(ctx, dir, meta, func(bytes int64) error {
			if s.Room == nil {
				return nil
			}
			return s.Room(s.Archive, bytes)
		})
		return err
	})
	switch {
	case errors.Is(err, archive.ErrNoRoom):
		return s.saved(g, "not archived: "+err.Error(), by)
	case err != nil:
		return err
	}
	what := fmt.Sprintf("%s, %d bytes, sha256 %s", saved.Path, saved.Bytes, saved.SHA256)
	if saved.Skipped > 0 {
		what += fmt.Sprintf("; %d entries are not in it, first %s", saved.Skipped, saved.Reason)
	}
	return s.saved(g, what, by)
}

// saved puts into the audit what became of the archive.
func (s *Sweeper) saved(g grave, what, by string) error {
	return s.write([]audit.Record{g.ground.record(audit.Archived, g.stone, g.code, what, by)})
}
