package tombstone

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
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
	if y.stones, err = ours(y.home, stonesName); errors.Is(err, unix.ENOENT) {
		y.stones, err = makeStones(y.home)
	}
	if err != nil {
		return err
	}
	if y.journal, err = openJournal(y.home, journalName); err != nil {
		return err
	}
	return y.replay()
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
		return errors.Join(fmt.Errorf("make yard %s/%s: %w", y.root.Path(), Home, err), y.shut())
	}
	top, err := y.root.OpenDir("")
	if err != nil {
		return err
	}
	defer top.Close()
	if err := errors.Join(unix.Fsync(y.home.Fd()), unix.Fsync(top.Fd())); err != nil {
		return fmt.Errorf("sync yard: %w", err)
	}
	_, err = y.recover()
	return err
}

func mkdir(in *beneath.Dir, name string) error {
	if err := unix.Mkdirat(in.Fd(), name, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
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

// makeStones makes the folder of the stones and lets it grow first: on most
// file systems a folder never shrinks, and on a full one it cannot grow, just
// when what is to be deleted must be moved into it.
func makeStones(home *beneath.Dir) (*beneath.Dir, error) {
	if err := mkdir(home, growName); err != nil {
		return nil, err
	}
	d, err := ours(home, growName)
	if err != nil {
		return nil, err
	}
	grow(d)
	err = clear(d)
	if err == nil {
		err = unix.Renameat2(home.Fd(), growName, home.Fd(), stonesName, unix.RENAME_NOREPLACE)
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("make %s: %w", stonesName, err)
	}
	return d, nil
}

// grow gives one empty file many long names. How far it comes is not
// important.
func grow(d *beneath.Dir) {
	const first = "0"
	fd, err := unix.Openat(d.Fd(), first, unix.O_WRONLY|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return
	}
	unix.Close(fd)
	long := strings.Repeat("_", len(partName(stoneName(Folder{}, "", time.Unix(0, 0), 0), 0))+12+64+64)
	for n := range room {
		if err := unix.Linkat(d.Fd(), first, d.Fd(), fmt.Sprintf("%d%s", n+1, long), 0); err != nil && !errors.Is(err, unix.EEXIST) {
			return
		}
	}
}

// clear removes the files in a folder of ours.
func clear(d *beneath.Dir) error {
	for range maxPasses {
		err := d.Entries(func(entries []beneath.Entry) error {
			for _, e := range entries {
				if err := unix.Unlinkat(d.Fd(), e.Name, 0); err != nil {
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
