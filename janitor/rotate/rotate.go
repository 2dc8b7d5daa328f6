package rotate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// What is left alone whatever its age.
const (
	least    = 64 << 10 // bytes; smaller ones are not worth a file
	maxDepth = 8        // folders below the container's
	longest  = 255      // bytes of a name
)

// A Rotator compresses files. Its methods may be called from several
// goroutines, for different folders.
type Rotator struct {
	After time.Duration           // how long a file must be unchanged
	Room  func(bytes int64) error // whether there is room for a copy of so many; nil: there is
	Now   func() time.Time        // nil: time.Now

	step func(name string) error // called between steps; a test's crash
}

// A Report is what was done in one folder.
type Report struct {
	Files  int    // compressed
	Before int64  // bytes on disk that the files took
	After  int64  // bytes of what became of them
	Kept   int    // old enough, and left alone
	Reason string // of the first of those; empty: there is none
}

func (r *Report) keep(name string, err error) {
	if r.Kept++; r.Kept == 1 {
		r.Reason = fmt.Sprintf("%q: %v", name, err)
	}
}

// Rotate compresses what is due below a folder. A file that cannot be
// compressed is no error: the report counts it. The error is that of the
// context, or of a folder that cannot be read.
func (r *Rotator) Rotate(ctx context.Context, dir *beneath.Dir) (Report, error) {
	var report Report
	err := r.folder(ctx, dir, "", 0, &report)
	return report, err
}

func (r *Rotator) folder(ctx context.Context, dir *beneath.Dir, at string, depth int, report *Report) error {
	var names, folders []string
	err := dir.Entries(func(entries []beneath.Entry) error {
		for _, e := range entries {
			switch {
			case e.Kind == beneath.Folder && depth < maxDepth:
				folders = append(folders, e.Name)
			case strings.HasPrefix(e.Name, ours):
				leftover(dir, e.Name)
			case e.Kind == beneath.File && r.due(dir, e.Name):
				names = append(names, e.Name)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := r.file(ctx, dir, name, report); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			report.keep(at+name, err)
		}
	}
	for _, name := range folders {
		sub, err := dir.OpenDir(name)
		if err != nil {
			continue // it went, or is a mount
		}
		err = errors.Join(r.folder(ctx, sub, at+name+"/", depth+1, report), sub.Close())
		if err != nil {
			return err
		}
	}
	return nil
}

// ours is how our own names begin. No file has such a name unless there is
// another with all that is in it.
const ours = ".berth-rotate-"

// leftover removes what a crash has left: a copy whose original is in its
// place, or an original whose copy is.
func leftover(dir *beneath.Dir, name string) {
	var st unix.Stat_t
	err := unix.Fstatat(dir.Fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && len(name) == len(ours)+26 {
		_ = unix.Unlinkat(dir.Fd(), name, 0)
	}
}

// due reports whether a file is worth opening.
func (r *Rotator) due(dir *beneath.Dir, name string) bool {
	if compressed(name) || len(name)+len(".gz") > longest {
		return false
	}
	var st unix.Stat_t
	return unix.Fstatat(dir.Fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && r.old(&st)
}

// old reports whether a file is one that may be compressed: a file of one name,
// without holes, that has not changed for long enough.
func (r *Rotator) old(st *unix.Stat_t) bool {
	changed := time.Unix(st.Ctim.Unix()) // a writer can set its mtime, and not this
	if m := time.Unix(st.Mtim.Unix()); m.After(changed) {
		changed = m
	}
	return st.Mode&unix.S_IFMT == unix.S_IFREG && st.Nlink == 1 && st.Size >= least &&
		st.Blocks*512 >= st.Size/2 && r.now().Sub(changed) >= r.After
}

func (r *Rotator) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

// compressed reports whether a name is that of a compressed file.
func compressed(name string) bool {
	for _, end := range []string{".gz", ".zst", ".xz", ".bz2", ".lz4", ".zip", ".br", ".tgz"} {
		if strings.HasSuffix(strings.ToLower(name), end) {
			return true
		}
	}
	return false
}

// at runs a test's crash between two steps.
func (r *Rotator) at(step string) error {
	if r.step == nil {
		return nil
	}
	return r.step(step)
}
