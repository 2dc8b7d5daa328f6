package beneath

import (
	"context"
	"errors"
	"fmt"
	"strings"
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

// Limits bound a look into a tree that somebody else fills. A limit that is
// reached is no error: it sets Usage.Truncated.
type Limits struct {
	Entries int           // 0: 10 million
	Time    time.Duration // 0: none but the context's
	Inodes  int           // how many regular files to name in Usage.Inodes
}

const (
	maxOpen    = 32 // folders below each other that are open at once
	maxPending = 16 // folders deeper than that, kept open to be looked into later
)

// Measure looks at everything in the tree below the folder, without opening
// any file. It reports [ErrMount], and where, if a mount lies inside. A tree
// may be of any depth; one that is both deep and wide on purpose is truncated.
func (d *Dir) Measure(ctx context.Context, limits Limits) (Usage, error) {
	if limits.Entries == 0 {
		limits.Entries = 10_000_000
	}
	m := &measure{ctx: ctx, limits: limits, left: limits.Entries}
	if limits.Time > 0 {
		m.deadline = time.Now().Add(limits.Time)
	}
	changed, err := d.Changed()
	if err != nil {
		return Usage{}, err
	}
	m.usage.Written = changed
	err = m.all(d)
	if errors.Is(err, errLimit) {
		m.usage.Truncated, err = true, nil
	}
	return m.usage, err
}

var errLimit = errors.New("limit reached")

type measure struct {
	ctx      context.Context
	limits   Limits
	left     int       // entries
	deadline time.Time // zero: none
	usage    Usage
	path     []string // names from the top, or from the last pending folder
	below    string   // what the path begins with in a message
	pending  []pending
}

// A pending folder lies maxOpen levels below the one it was found from.
type pending struct {
	dir  *Dir
	name string
}

// all looks into a tree a stretch of maxOpen levels at a time. A chain of
// folders of any length leaves at most one folder pending.
func (m *measure) all(top *Dir) error {
	defer func() {
		for _, p := range m.pending {
			p.dir.Close()
		}
	}()
	err := m.folder(top, 0)
	for err == nil && len(m.pending) > 0 {
		last := m.pending[len(m.pending)-1]
		m.pending = m.pending[:len(m.pending)-1]
		m.below, m.path = "…/"+last.name+"/", m.path[:0]
		err = m.folder(last.dir, 0)
		last.dir.Close()
	}
	return err
}

// folder looks at the entries of an open folder, and into those that are
// folders as it comes to them.
func (m *measure) folder(d *Dir, depth int) error {
	return d.Entries(func(entries []Entry) error {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		if !m.deadline.IsZero() && time.Now().After(m.deadline) {
			return errLimit
		}
		for _, e := range entries {
			if m.left--; m.left < 0 {
				return errLimit
			}
			isFolder, err := m.entry(d, e)
			if err == nil && isFolder {
				err = m.child(d, e.Name, depth+1)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *measure) child(d *Dir, name string, depth int) error {
	sub, err := d.OpenDir(name)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, ErrNotFolder), errors.Is(err, ErrSymlink):
		return nil // gone or replaced since it was listed
	case err != nil:
		return m.at(name, err)
	case depth < maxOpen:
		defer sub.Close()
		m.path = append(m.path, name)
		defer func() { m.path = m.path[:len(m.path)-1] }()
		return m.folder(sub, depth)
	case len(m.pending) < maxPending:
		m.pending = append(m.pending, pending{sub, name})
		return nil
	default:
		m.usage.Truncated = true
		return sub.Close()
	}
}

// at says where below the top something was met.
func (m *measure) at(name string, err error) error {
	return fmt.Errorf("in %q: %w", m.below+strings.Join(append(m.path, name), "/"), err)
}

// entry counts one entry and reports whether it is a folder to go into.
func (m *measure) entry(d *Dir, e Entry) (bool, error) {
	st, err := statx(d.fd, e.Name, unix.STATX_BASIC_STATS|unix.STATX_MNT_ID)
	switch {
	case errors.Is(err, unix.ENOENT):
		return false, nil
	case err != nil:
		return false, m.at(e.Name, err)
	case st.Mask&unix.STATX_MNT_ID != 0 && d.tree.way != byFdinfo && st.Mnt_id != d.tree.mount:
		return false, m.at(e.Name, ErrMount)
	}
	m.usage.Written = newer(m.usage.Written, newer(stamp(st.Ctime), stamp(st.Mtime)))
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		m.usage.Folders++
		return true, nil
	}
	m.usage.Files++
	if st.Mode&unix.S_IFMT == unix.S_IFREG {
		m.file(st)
	}
	return false, nil
}

func (m *measure) file(st unix.Statx_t) {
	if st.Nlink == 1 {
		m.usage.Bytes += int64(st.Blocks) * 512
	}
	if len(m.usage.Inodes) < m.limits.Inodes {
		if m.usage.Inodes == nil {
			m.usage.Inodes = map[Inode]struct{}{}
		}
		m.usage.Inodes[Inode{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino}] = struct{}{}
	}
}
