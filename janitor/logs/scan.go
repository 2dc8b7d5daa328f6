package logs

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// A Folder is one folder that has the name and the place of a container's.
type Folder struct {
	Root     string           // path of its log root
	Rel      string           // path below the root
	Service  string           // as the path says; empty if the pattern does not
	Name     string           // 12 or 64 digits
	Identity beneath.Identity // zero if its container is listed: nobody asks
	Changed  time.Time        // of the folder itself: an entry came or went, or its status changed; zero as well
}

// Path is where the folder is on the host.
func (f Folder) Path() string { return f.Root + "/" + f.Rel }

// scan finds the folders below a root. It reads the names of the pattern's
// levels and looks at nothing else: who each folder is, [identify] says. What
// cannot be entered is left out and noted: it will not be deleted.
func scan(ctx context.Context, root *beneath.Root, p Pattern) (folders []Folder, notes []string, err error) {
	top, err := root.OpenDir("")
	if err != nil {
		return nil, nil, err
	}
	defer top.Close()
	s := &scanner{ctx: ctx, root: root.Path(), pattern: p}
	if err := s.level(top, "", 0); err != nil {
		return nil, nil, fmt.Errorf("scan %s: %w", root.Path(), err)
	}
	return s.folders, s.notes, nil
}

// maxNotes bounds what a hostile tree can make us say.
const maxNotes = 20

type scanner struct {
	ctx     context.Context
	root    string
	pattern Pattern
	folders []Folder
	notes   []string
}

func (s *scanner) level(d *beneath.Dir, rel string, depth int) error {
	var names []string
	err := d.Entries(func(entries []beneath.Entry) error {
		for _, e := range entries {
			if (e.Kind == beneath.Folder || e.Kind == beneath.Unknown) && s.pattern.match(depth, e.Name) {
				names = append(names, e.Name)
			} else if e.Kind == beneath.Other && s.pattern.match(depth, e.Name) {
				s.note("%q is a link or a device, not a folder: left alone", path.Join(s.root, rel, e.Name))
			} else if !utf8.ValidString(e.Name) {
				s.note("%q is not UTF-8: left alone", path.Join(s.root, rel, e.Name))
			}
		}
		return s.ctx.Err()
	})
	if err != nil {
		return err
	}
	slices.Sort(names)
	if depth == len(s.pattern.parts)-1 {
		s.folders = slices.Grow(s.folders, len(names))
	}
	for _, name := range names {
		below := name
		if rel != "" {
			below = rel + "/" + name
		}
		if err := s.child(d, below, name, depth); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) child(d *beneath.Dir, rel, name string, depth int) error {
	if depth == len(s.pattern.parts)-1 {
		s.folders = append(s.folders, Folder{Root: s.root, Rel: rel, Service: s.pattern.service(rel), Name: name})
		return nil
	}
	sub, err := d.OpenDir(name)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		s.note("%q is left alone: %v", path.Join(s.root, rel), err)
		return nil
	}
	defer sub.Close()
	return s.level(sub, rel, depth+1)
}

// identify looks at a folder. One that is not there any more is no error, and
// is not found.
func identify(root *beneath.Root, f *Folder) (found bool, err error) {
	d, err := root.OpenDir(f.Rel)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer d.Close()
	if f.Identity, err = d.Identity(); err != nil {
		return false, err
	}
	f.Changed, err = d.Changed()
	return err == nil, err
}

func (s *scanner) note(format string, args ...any) {
	if len(s.notes) < maxNotes {
		s.notes = append(s.notes, fmt.Sprintf(format, args...))
	}
}
