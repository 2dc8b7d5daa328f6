package tombstone

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/internal/kernel"
)

// Home is the name of the yard in its root.
const Home = ".berth"

const (
	stonesName = "tombstones"
	growName   = "tombstones.new"
)

// open opens the yard and takes in its journal. If there is none, and make is
// not set, it leaves it at that. The caller holds io, or is alone.
func (y *Yard) open(make bool) (err error) {
	top, err := y.root.OpenDir("")
	if err != nil {
		return err
	}
	defer top.Close()
	if make {
		err = mkdir(top, Home)
	}
	if err == nil {
		y.home, err = ours(top, Home)
	}
	if errors.Is(err, unix.ENOENT) && !make {
		return nil
	}
	if err != nil {
		return err
	}
	y.stones, err = ours(y.home, stonesName)
	if errors.Is(err, unix.ENOENT) {
		err = y.furnish()
		if !make && errors.Is(err, unix.ENOSPC) { // it was begun, and the disk was full: the next attempt goes on
			return y.shut()
		}
		return err
	}
	if err != nil {
		return err
	}
	if y.journal, err = openJournal(y.home, journalName); err != nil {
		return err
	}
	return y.replay()
}

// furnish makes what is in a yard.
func (y *Yard) furnish() (err error) {
	if y.stones, err = newStones(y.home); err != nil {
		return err
	}
	if y.journal, err = openJournal(y.home, journalName); err != nil {
		return err
	}
	if err := growStones(y.home, y.stones); err != nil {
		return err
	}
	return y.replay()
}

// Prepare makes the yard if there is none, while there is room for it.
func (y *Yard) Prepare() error {
	y.io.Lock()
	defer y.io.Unlock()
	return y.made()
}

// made makes the yard if there is none. Whatever another process, gone by now,
// left in it since it was looked for is recovered.
func (y *Yard) made() error {
	switch {
	case y.closed:
		return ErrClosed
	case y.home != nil:
		return nil
	}
	if err := y.open(true); err != nil {
		err = fmt.Errorf("make yard %s/%s: %w", y.root.Path(), Home, errors.Join(err, y.shut()))
		if errors.Is(err, unix.ENOSPC) {
			err = fmt.Errorf("%w: the first time it takes 12 KiB and 3 inodes: delete something by hand", err)
		}
		return err
	}
	top, err := y.root.OpenDir("")
	if err == nil {
		err = errors.Join(kernel.Fsync(y.home.Fd()), kernel.Fsync(top.Fd()), top.Close())
	}
	if err == nil {
		_, err = y.recover()
	}
	if err != nil { // to be tried again
		return errors.Join(fmt.Errorf("sync yard: %w", err), y.shut())
	}
	return nil
}

func mkdir(in *beneath.Dir, name string) error {
	if err := kernel.Mkdirat(in.Fd(), name, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("make %s: %w", name, err)
	}
	return nil
}

// ours opens a folder of the yard. One that others may enter or write is
// refused: they could put anything into it.
func ours(in *beneath.Dir, name string) (*beneath.Dir, error) {
	d, err := in.OpenDir(name)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = unix.Fstat(d.Fd(), &st)
	switch {
	case err != nil:
	case int(st.Uid) != os.Geteuid():
		err = fmt.Errorf("%s belongs to uid %d, not to this process (uid %d)", name, st.Uid, os.Geteuid())
	case st.Mode&0o077 != 0:
		err = fmt.Errorf("%s has mode %04o: others may enter it; chmod 0700 it if nobody has", name, st.Mode&0o7777)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// room is how many stones fit into the yard of a file system that is full.
const room = 2000

// newStones makes the folder of the stones, which gets its name once it has
// grown. The journal takes its room before that: it can do with less than it
// asks for, and nothing works without it.
func newStones(home *beneath.Dir) (*beneath.Dir, error) {
	if err := mkdir(home, growName); err != nil {
		return nil, err
	}
	return ours(home, growName)
}

// growStones lets the folder of the stones grow first: on most file systems a
// folder never shrinks, and on a full one it cannot grow, just when what is to
// be deleted must be moved into it.
func growStones(home, d *beneath.Dir) error {
	grow(d)
	err := clear(d)
	if err == nil {
		err = kernel.Renameat2(home.Fd(), growName, home.Fd(), stonesName, unix.RENAME_NOREPLACE)
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", stonesName, err)
	}
	return nil
}

// grow gives one empty file many long names. How far it comes is not
// important.
func grow(d *beneath.Dir) {
	const first = "0"
	fd, err := kernel.Openat(d.Fd(), first, unix.O_WRONLY|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return
	}
	unix.Close(fd)
	long := strings.Repeat("_", len(partName(stoneName(Folder{}, "", time.Unix(0, 0), 0), 0))+12+64+64)
	for n := range room {
		if err := kernel.Linkat(d.Fd(), first, fmt.Sprintf("%d%s", n+1, long)); err != nil && !errors.Is(err, unix.EEXIST) {
			return
		}
	}
}

// clear removes the files in a folder of ours.
func clear(d *beneath.Dir) error {
	for range maxPasses {
		err := d.Entries(func(entries []beneath.Entry) error {
			for _, e := range entries {
				if err := kernel.Unlinkat(d.Fd(), e.Name, 0); err != nil {
					return fmt.Errorf("remove %q: %w", e.Name, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
