package tombstone

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/internal/kernel"
	"github.com/berth-dev/berth/janitor/journal"
)

const (
	journalName = "journal"
	nextName    = "journal.next"
)

const (
	// journalRoom is what is set aside for the journal, so that it can be
	// written on a full disk: the business of some 800 stones.
	journalRoom = 1 << 20
	// compactSize is how large the journal may grow before finished business is
	// dropped from it.
	compactSize = journalRoom / 2
)

// openJournal opens and locks a journal file.
func openJournal(home *beneath.Dir, name string) (*journal.File, error) {
	for {
		fd, err := kernel.Openat(home.Fd(), name, unix.O_RDWR|unix.O_CREAT|unix.O_APPEND|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", name, err)
		}
		file := os.NewFile(uintptr(fd), name)
		err = lock(home, name, fd)
		if err == nil {
			j := journal.New(file)
			j.Reserve(journalRoom)
			return j, nil
		}
		file.Close()
		if !errors.Is(err, errMoved) {
			return nil, err
		}
	}
}

var errMoved = errors.New("another journal has taken its place")

// lock locks an open journal file and makes sure that it is the one: whoever
// had the lock may have written a new one meanwhile.
func lock(home *beneath.Dir, name string, fd int) error {
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return ErrLocked
		}
		return fmt.Errorf("lock %s: %w", name, err)
	}
	var locked, named unix.Stat_t
	if err := unix.Fstat(fd, &locked); err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	if locked.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("lock %s: it is not a file", name)
	}
	err := unix.Fstatat(home.Fd(), name, &named, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || named.Ino != locked.Ino || named.Dev != locked.Dev {
		return errMoved
	}
	return nil
}

// replay takes the journal in. Numbers of devices and mounts are another after
// a reboot, and within the yard they are the root's.
func (y *Yard) replay() error {
	here := y.root.Identity()
	y.mu.Lock()
	defer y.mu.Unlock()
	bad, err := y.journal.Replay(func(b []byte) error {
		r, err := decode(b)
		if err != nil {
			return err
		}
		if r.Stone != nil {
			r.Stone.Identity.Dev, r.Stone.Identity.Mount = here.Dev, here.Mount
		}
		y.apply(r)
		return nil
	})
	y.bad = bad
	y.compact = compactSize
	y.journal.Reserve(journalRoom) // a torn line has taken it away
	return err
}

// tidy writes the journal anew once it has grown enough. That it cannot be
// done now, on a full disk, is no fault of the write that led to it: the old
// one goes on, and it is tried again later.
func (y *Yard) tidy() {
	if y.journal.Size() < y.compact {
		return
	}
	fresh, err := y.condensed()
	if err != nil {
		y.compact = 2 * y.journal.Size()
		return
	}
	if err := kernel.Renameat2(y.home.Fd(), nextName, y.home.Fd(), journalName, 0); err != nil {
		y.compact = 2 * y.journal.Size()
		_ = fresh.Close()
		return
	}
	_ = y.journal.Close() // nothing is read from it or written to it any more
	y.journal, y.compact = fresh, max(compactSize, 4*fresh.Size())
	y.unnamed = true
	_ = y.named()
}

// named returns once the name of the journal is on disk: what is written into
// it before that is lost with it.
func (y *Yard) named() error {
	if !y.unnamed {
		return nil
	}
	if err := kernel.Fsync(y.home.Fd()); err != nil {
		return fmt.Errorf("sync yard: %w", err)
	}
	y.unnamed = false
	return nil
}

// condensed writes a journal with only what is still there beside the old one.
// It has a lock of its own.
func (y *Yard) condensed() (*journal.File, error) {
	if err := kernel.Unlinkat(y.home.Fd(), nextName, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, err
	}
	fresh, err := openJournal(y.home, nextName)
	if err != nil {
		return nil, err
	}
	if err := fresh.Write(y.records()...); err != nil {
		return nil, errors.Join(err, fresh.Close(), kernel.Unlinkat(y.home.Fd(), nextName, 0))
	}
	return fresh, nil
}

// records says in the fewest records what the journal says now.
func (y *Yard) records() []any {
	var all []any
	for _, s := range y.sorted() {
		all = append(all, buried(s.Stone))
		if s.Confirmed {
			all = append(all, record{Op: opConfirm, Name: s.Name})
		}
		if s.restoring {
			all = append(all, record{Op: opRestore, Name: s.Name})
		}
		if s.Purging {
			all = append(all, record{Op: opPurge, Name: s.Name})
		}
	}
	return all
}
