package api

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Running is another daemon that holds the lock.
type Running struct {
	Lock string // the lock's path
	PID  string // of the other daemon, as the lock says; may be empty
}

// Error names the lock and who holds it.
func (r *Running) Error() string {
	return fmt.Sprintf("another berth runs already, as process %s: it holds %s", r.PID, r.Lock)
}

// A lock is held by one process at a time, and the kernel lets go of it when
// the process ends, however it ends.
type lock struct {
	path string
	file *os.File
}

// takeLock takes the lock or fails at once with a [*Running].
func takeLock(path string) (*lock, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return nil, fmt.Errorf("open lock: %w", err)
		}
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			pid, _ := os.ReadFile(path)
			_ = file.Close()
			return nil, &Running{Lock: path, PID: strings.TrimSpace(string(pid))}
		}
		if err != nil {
			_ = file.Close()
			return nil, fmt.Errorf("take lock %s: %w", path, err)
		}
		if !leads(path, file) { // its last holder removed it after we opened it
			_ = file.Close()
			continue
		}
		l := &lock{path: path, file: file}
		if err := l.sign(); err != nil {
			return nil, errors.Join(err, l.release())
		}
		return l, nil
	}
}

// leads reports whether path still leads to the open file.
func leads(path string, file *os.File) bool {
	here, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(here, there)
}

// sign writes who holds the lock.
func (l *lock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("write lock %s: %w", l.path, err)
	}
	if _, err := l.file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0); err != nil {
		return fmt.Errorf("write lock %s: %w", l.path, err)
	}
	return nil
}

// release removes the lock and lets go of it, in this order: who opened it
// before must find that it is no longer the one at path.
func (l *lock) release() error {
	return errors.Join(os.Remove(l.path), l.file.Close())
}
