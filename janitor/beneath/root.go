package beneath

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A Root is a folder opened once and pinned by device, inode and mount. It may
// be used from several goroutines.
type Root struct {
	path string
	dir  *Dir
	id   Identity
	way  way // the first that may be taken
}

// Open opens the folder at an absolute, clean path. No component of the path
// may be a symbolic link: a root that somebody can turn elsewhere is no root.
func Open(path string) (*Root, error) { return open(path, byOpenat2) }

func open(path string, from way) (*Root, error) {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
		return nil, fmt.Errorf("open root %q: not an absolute, clean path below /", path)
	}
	fd, err := openNoSymlinks(path)
	if err != nil {
		return nil, err
	}
	r := &Root{path: path, dir: &Dir{fd: fd}, way: from}
	if r.dir.tree, err = newTree(fd, from); err == nil {
		r.id, err = r.dir.Identity()
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("open root %q: %w", path, err)
	}
	return r, nil
}

// openNoSymlinks walks from / one component at a time. Mounts may be crossed
// here: a root usually is one, or lies below one.
func openNoSymlinks(path string) (int, error) {
	fd, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open /: %w", err)
	}
	parts := strings.Split(path[1:], "/")
	for i, part := range parts {
		flags := unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
		if i == len(parts)-1 {
			flags = dirFlags
		}
		next, err := retry(func() (int, error) { return unix.Openat(fd, part, flags, 0) })
		if err != nil {
			err = rootRefusal(path, "/"+strings.Join(parts[:i+1], "/"), fd, part, err)
		}
		unix.Close(fd)
		if err != nil {
			return -1, err
		}
		fd = next
	}
	return fd, nil
}

// rootRefusal says which part of a root's path is to blame, and the cure.
func rootRefusal(path, at string, fd int, part string, err error) error {
	if isSymlink(fd, part) {
		real, evalErr := filepath.EvalSymlinks(path)
		if evalErr != nil {
			return fmt.Errorf("open root %q: %q %w: name the real folder", path, at, ErrSymlink)
		}
		return fmt.Errorf("open root %q: %q %w: name the real folder, %q", path, at, ErrSymlink, real)
	}
	if errors.Is(err, unix.ENOTDIR) {
		return fmt.Errorf("open root %q: %q %w", path, at, ErrNotFolder)
	}
	return fmt.Errorf("open root %q: %q: %w", path, at, err)
}

// Path is the path that was opened.
func (r *Root) Path() string { return r.path }

// Identity is what the root is pinned by.
func (r *Root) Identity() Identity { return r.id }

// Close gives the descriptor back.
func (r *Root) Close() error { return r.dir.Close() }

// Verify reports whether the path still leads to the pinned folder: not
// replaced, not unmounted, nothing mounted over it.
func (r *Root) Verify() error {
	fresh, err := open(r.path, r.way)
	if err != nil {
		return err
	}
	defer fresh.Close()
	switch {
	case fresh.id == r.id:
		return nil
	case fresh.id.Mount == r.id.Mount:
		return fmt.Errorf("root %q %w: it was replaced by another", r.path, ErrReplaced)
	case fresh.id.Dev == r.id.Dev:
		return fmt.Errorf("root %q %w: it was mounted anew or mounted over", r.path, ErrReplaced)
	default:
		return fmt.Errorf("root %q %w: its file system was unmounted or mounted over", r.path, ErrReplaced)
	}
}

// Writable reports whether this process can make and remove entries in the
// root: [ErrReadOnly], or the kernel's word for a missing right.
func (r *Root) Writable() error {
	err := unix.Faccessat2(r.dir.fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	if unsupported(err) {
		err = probeWritable(r.dir.fd)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("root %q %w", r.path, ErrReadOnly)
	default:
		return fmt.Errorf("write to root %q: %w", r.path, err)
	}
}

// probeWritable asks kernels without faccessat2 (before 5.8), whose older call
// leaves out the capabilities of an unprivileged user: it opens a file without
// a name, which leaves nothing behind. A full disk is no lack of rights.
func probeWritable(fd int) error {
	tmp, err := retry(func() (int, error) {
		return unix.Openat(fd, ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	})
	switch {
	case err == nil:
		return unix.Close(tmp)
	case errors.Is(err, unix.EROFS), errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return err
	default:
		return nil
	}
}

// OpenDir opens a folder beneath the root by its relative path; "" and "." are
// the root itself. Each component is a step of its own.
func (r *Root) OpenDir(rel string) (*Dir, error) {
	here, err := r.dir.again()
	if err != nil {
		return nil, fmt.Errorf("open root %q: %w", r.path, err)
	}
	if rel == "" || rel == "." {
		return here, nil
	}
	for part := range strings.SplitSeq(rel, "/") {
		next, err := here.OpenDir(part)
		here.Close()
		if err != nil {
			return nil, fmt.Errorf("below %q: %w", r.path, err)
		}
		here = next
	}
	return here, nil
}
