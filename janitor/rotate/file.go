package rotate

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// Why a file is left alone.
var (
	errOpen    = errors.New("somebody has it open")
	errWanted  = errors.New("somebody wants to open it")
	errChanged = errors.New("it has changed")
	errTaken   = errors.New("there is a file of the new name")
)

// file compresses one file, or leaves everything as it was.
func (r *Rotator) file(ctx context.Context, dir *beneath.Dir, name string, report *Report) error {
	file, err := dir.OpenFile(name)
	if err != nil {
		return err
	}
	defer file.Close()
	release, err := lease(file)
	if err != nil {
		return err
	}
	defer release()
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return err
	}
	if !r.old(&st) {
		return errChanged
	}
	if r.Room != nil {
		if err := r.Room(st.Size); err != nil {
			return err
		}
	}
	copied, size, err := r.copy(ctx, dir, file, &st)
	if err != nil {
		return err
	}
	if err := r.replace(dir, file, name, copied, &st); err != nil {
		_ = unix.Unlinkat(dir.Fd(), copied, 0)
		return err
	}
	report.Files++
	report.Before += st.Blocks * 512
	report.After += size
	return nil
}

// lease keeps others from opening the file unnoticed. It is not to be had while
// anybody else has it open.
func lease(file *os.File) (release func(), err error) {
	fd := file.Fd()
	if _, err := unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		if errors.Is(err, unix.EAGAIN) {
			return nil, errOpen
		}
		return nil, fmt.Errorf("no lease is to be had: %w", err)
	}
	return func() { _, _ = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK) }, nil
}

// alone reports whether nobody has asked for the file since the lease began.
func alone(file *os.File) bool {
	kind, err := unix.FcntlInt(file.Fd(), unix.F_GETLEASE, 0)
	return err == nil && kind == unix.F_WRLCK
}

// copy writes the file, compressed, under a name of our own, and returns the
// name and its size. With an error there is nothing.
func (r *Rotator) copy(ctx context.Context, dir *beneath.Dir, from *os.File, st *unix.Stat_t) (name string, size int64, err error) {
	name = ours + rand.Text()
	fd, err := unix.Openat(dir.Fd(), name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return "", 0, fmt.Errorf("make a copy: %w", err)
	}
	to := os.NewFile(uintptr(fd), name)
	err = r.at("made")
	if err == nil {
		err = pack(ctx, to, from, st.Size)
	}
	if err == nil {
		err = like(to, st)
	}
	if err == nil {
		err = to.Sync()
	}
	info, statErr := to.Stat()
	if err = errors.Join(err, statErr, to.Close()); err != nil {
		_ = unix.Unlinkat(dir.Fd(), name, 0)
		return "", 0, err
	}
	return name, info.Size(), r.at("copied")
}

// pack compresses until the end, or until somebody wants the file.
func pack(ctx context.Context, to io.Writer, from *os.File, size int64) error {
	z, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		return err
	}
	left := io.LimitReader(from, size)
	for chunk := int64(256 << 10); ; {
		n, err := io.CopyN(z, left, chunk)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !alone(from):
			return errWanted
		case n < chunk:
			_ = unix.Fadvise(int(from.Fd()), 0, 0, unix.FADV_DONTNEED)
			return z.Close()
		}
	}
}

// like gives the copy the owner, mode and time of the original.
func like(to *os.File, st *unix.Stat_t) error {
	fd := int(to.Fd())
	times := []unix.Timeval{unix.NsecToTimeval(st.Atim.Nano()), unix.NsecToTimeval(st.Mtim.Nano())}
	return errors.Join(
		unix.Fchown(fd, int(st.Uid), int(st.Gid)), unix.Fchmod(fd, st.Mode&0o7777), unix.Futimes(fd, times))
}

// replace puts the copy into the original's place. The original is moved aside
// first: only what is then found to be it is removed, so that a file that took
// its name in the last moment goes back.
func (r *Rotator) replace(dir *beneath.Dir, file *os.File, name, copied string, st *unix.Stat_t) error {
	var now unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &now); err != nil {
		return err
	}
	if now.Size != st.Size || now.Mtim != st.Mtim || now.Ctim != st.Ctim || now.Nlink != 1 {
		return errChanged
	}
	if err := rename(dir, copied, name+".gz"); err != nil {
		if errors.Is(err, unix.EEXIST) {
			return errTaken
		}
		return err
	}
	undo := func(why error) error { return errors.Join(why, rename(dir, name+".gz", copied)) }
	if err := unix.Fsync(dir.Fd()); err != nil {
		return undo(err)
	}
	if err := r.at("both"); err != nil {
		return err
	}
	if !alone(file) {
		return undo(errWanted)
	}
	aside := ours + rand.Text()
	if err := rename(dir, name, aside); err != nil {
		return undo(err)
	}
	var moved unix.Stat_t
	if err := unix.Fstatat(dir.Fd(), aside, &moved, unix.AT_SYMLINK_NOFOLLOW); err != nil || moved.Ino != st.Ino || moved.Dev != st.Dev || !alone(file) {
		return errors.Join(undo(errChanged), back(dir, aside, name))
	}
	if err := r.at("aside"); err != nil {
		return err
	}
	if err := unix.Unlinkat(dir.Fd(), aside, 0); err != nil {
		return errors.Join(undo(err), back(dir, aside, name))
	}
	return nil
}

// back gives a file its name again or, where that is taken by now, one beside
// it: it is not ours to lose.
func back(dir *beneath.Dir, aside, name string) error {
	err := rename(dir, aside, name)
	if errors.Is(err, unix.EEXIST) {
		err = rename(dir, aside, name[:min(len(name), longest-27)]+"."+rand.Text())
	}
	return err
}

// rename never replaces another.
func rename(dir *beneath.Dir, from, to string) error {
	return unix.Renameat2(dir.Fd(), from, dir.Fd(), to, unix.RENAME_NOREPLACE)
}
