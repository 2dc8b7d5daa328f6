package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/store"
)

// ErrLocked is a file that another process holds: a second daemon.
var ErrLocked = errors.New("another process holds it")

// Names beside the file's own.
const (
	lockSuffix    = ".lock"
	newSuffix     = ".new"     // while it is rewritten
	damagedSuffix = ".damaged" // moved aside; there is one at most, the newest
)

// A file is rewritten once it is larger than rewriteAt, and several times as
// large as it was when it was new.
const (
	rewriteAt    = 64 << 10 // bytes
	rewriteTimes = 4
)

// A file is the journal on disk. It is not safe for use by several goroutines
// at once.
type file struct {
	path string
	lock *os.File
	log  *os.File // nil: has to be written anew
	size int64    // of log, as we know it
	base int64    // size of log when it was new
	shut bool
}

// openFile locks and reads a file, or moves a damaged one aside and begins a
// fresh one.
func openFile(path string, wait time.Duration) (f *file, found contents, notice string, err error) {
	f = &file{path: path}
	if f.lock, err = acquire(path+lockSuffix, wait); err != nil {
		return nil, contents{}, "", err
	}
	found, err = f.load()
	if errors.Is(err, errDamaged) {
		notice = fmt.Sprintf("%v; moved it to %s and began a new one", err, path+damagedSuffix)
		found = contents{}
		err = os.Rename(path, path+damagedSuffix)
	}
	if err != nil {
		return nil, contents{}, "", errors.Join(err, f.close())
	}
	if found.later > 0 {
		notice = fmt.Sprintf("left out %d records of a later version", found.later)
	}
	return f, found, notice, nil
}

// acquire takes the lock that keeps a second daemon out.
func acquire(path string, wait time.Duration) (*os.File, error) {
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	const pause = 20 * time.Millisecond
	for deadline := time.Now().Add(wait); ; <-time.After(pause) {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return lock, nil
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EWOULDBLOCK):
			return nil, errors.Join(&fs.PathError{Op: "lock", Path: path, Err: err}, lock.Close())
		case time.Now().After(deadline):
			return nil, errors.Join(ErrLocked, lock.Close())
		}
	}
}

// load reads the file and opens it for appending, if there is one.
func (f *file) load() (contents, error) {
	log, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return contents{}, nil
	}
	if err != nil {
		return contents{}, err
	}
	found, err := read(log)
	if err == nil {
		err = errors.Join(log.Truncate(found.size), log.Chmod(0o600))
	}
	if err != nil {
		return contents{}, errors.Join(err, log.Close())
	}
	f.log, f.size, f.base = log, found.size, found.size
	return found, nil
}

// close lets go of the file.
func (f *file) close() error {
	f.shut = true
	return errors.Join(f.drop(), f.lock.Close())
}

// drop closes the log alone.
func (f *file) drop() error {
	log := f.log
	f.log = nil
	if log == nil {
		return nil
	}
	return log.Close()
}

// write saves one change and returns once it is on disk; now is nil for a
// removal. all is everything there is, should the file have to be rewritten.
func (f *file) write(rev store.Rev, key store.Key, now *saved, all func() map[store.Key]saved) error {
	if f.shut {
		return store.ErrClosed
	}
	if !f.sound() || f.size > max(rewriteAt, rewriteTimes*f.base) {
		return f.rewrite(rev, all())
	}
	text, err := encode(key, rev, now)
	if err != nil {
		return err
	}
	if _, err = f.log.Write(text); err == nil {
		err = unix.Fdatasync(int(f.log.Fd()))
	}
	if err != nil {
		return errors.Join(err, f.log.Truncate(f.size), f.drop()) // the next write begins a new file
	}
	f.size += int64(len(text))
	return nil
}

// sound reports whether the file is still the one that was written last.
func (f *file) sound() bool {
	if f.log == nil {
		return false
	}
	now, err := f.log.Stat()
	there, errThere := os.Stat(f.path)
	return err == nil && errThere == nil && now.Size() == f.size && os.SameFile(now, there)
}

// rewrite puts a file with all there is in the place of the old one.
func (f *file) rewrite(rev store.Rev, all map[store.Key]saved) error {
	text, err := line{Rev: rev}.encode()
	for key, now := range all {
		one, errOne := encode(key, rev, &now)
		err = errors.Join(err, errOne)
		text = append(text, one...)
	}
	if err != nil {
		return err
	}
	log, err := os.OpenFile(f.path+newSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if _, err = log.Write(text); err == nil {
		err = errors.Join(log.Chmod(0o600), log.Sync())
	}
	if err == nil {
		err = os.Rename(f.path+newSuffix, f.path)
	}
	if err != nil {
		return errors.Join(err, log.Close(), os.Remove(f.path+newSuffix))
	}
	if err := f.drop(); err != nil {
		return errors.Join(err, log.Close())
	}
	f.log, f.size, f.base = log, int64(len(text)), int64(len(text))
	return syncFolder(filepath.Dir(f.path))
}

// syncFolder makes a rename last.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
