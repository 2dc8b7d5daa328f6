package beneath

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// A Usage is what a tree holds.
type Usage struct {
	Bytes     int64     // on disk, of files that have no other name elsewhere
	Files     int64     // everything that is not a folder
	Folders   int64     // without the top
	Written   time.Time // newest change of anything in it, the top included
	Truncated bool      // a limit was reached: there is more than was counted
	Inodes    map[Inode]struct{}
}

// An Inode names a file whatever its path.
type Inode struct{ Dev, Ino uint64 }

// Limits bound a look into a tree that somebody else fills.
type Limits struct {
	Entries int // 0: 10 million
	Depth   int // 0: 64 levels
	Inodes  int // how many regular files to name in Usage.Inodes
}

// Measure looks at everything in the tree below the folder, without opening
// any file. It reports [ErrMount] if a mount lies inside.
func (d *Dir) Measure(ctx context.Context, limits Limits) (Usage, error) {
	if limits.Entries == 0 {
		limits.Entries = 10_000_000
	}
	if limits.Depth == 0 {
		limits.Depth = 64
	}
	m := &measure{ctx: ctx, limits: limits, left: limits.Entries}
	changed, err := d.Changed()
	if err != nil {
		return Usage{}, err
	}
	m.usage.Written = changed
	if err := m.folder(d, 0); err != nil && !errors.Is(err, errLimit) {
		return m.usage, err
	}
	return m.usage, nil
}

var errLimit = errors.New("limit reached")

type measure struct {
	ctx    context.Context
	limits Limits
	left   int
	usage  Usage
}

// folder goes down by recursion, which Limits.Depth bounds. Names of folders
// are collected first: a descriptor has one read position.
func (m *measure) folder(d *Dir, depth int) error {
	var folders []string
	err := d.Entries(func(entries []Entry) error {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		for _, e := range entries {
			if m.left--; m.left < 0 {
				m.usage.Truncated = true
				return errLimit
			}
			isFolder, err := m.entry(d, e)
			if err != nil {
				return err
			}
			if isFolder {
				folders = append(folders, e.Name)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if depth+1 >= m.limits.Depth && len(folders) > 0 {
		m.usage.Truncated = true
		return nil
	}
	for _, name := range folders {
		if err := m.child(d, name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (m *measure) child(d *Dir, name string, depth int) error {
	sub, err := d.OpenDir(name)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, ErrNotFolder) || errors.Is(err, ErrSymlink) {
		return nil // gone or replaced since it was listed
	}
	if err != nil {
		return err
	}
	defer sub.Close()
	return m.folder(sub, depth)
}

// entry counts one entry and reports whether it is a folder to go into.
func (m *measure) entry(d *Dir, e Entry) (bool, error) {
	st, err := statx(d.fd, e.Name, unix.STATX_BASIC_STATS)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at %q: %w", e.Name, err)
	}
	m.usage.Written = newer(m.usage.Written, newer(stamp(st.Ctime), stamp(st.Mtime)))
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		m.usage.Folders++
		return true, nil
	}
	m.usage.Files++
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return false, nil
	}
	if st.Nlink == 1 {
		m.usage.Bytes += int64(st.Blocks) * 512
	}
	if len(m.usage.Inodes) < m.limits.Inodes {
		if m.usage.Inodes == nil {
			m.usage.Inodes = map[Inode]struct{}{}
		}
		m.usage.Inodes[Inode{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino}] = struct{}{}
	}
	return false, nil
}
