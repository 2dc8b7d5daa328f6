package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// ListenOptions say where the daemon listens and for whom.
type ListenOptions struct {
	Path  string // of the socket; its folder is made if it is missing
	Group string // whose members may connect, by name or number; empty: the process's own group

	Handed []*os.File // by systemd: a unix socket among them is taken instead of making one; they are closed
}

// A Listener is the daemon's socket, and its lock against a second daemon.
type Listener struct {
	net.Listener
	Limited []string // what could not be done for lack of rights, each with its cure; the socket works without

	path  string
	owned bool // we made the socket, so we remove it
	lock  *lock
	close func() error
}

// Listen opens the socket, or takes one that was handed over. It fails with a
// [*Running] if another daemon holds the lock beside the socket.
//
// At no moment is the socket open to more than its owner and group: it is
// bound inside a folder that only the owner enters, given its mode and group,
// and renamed into place. The rename also replaces the socket that a daemon
// left behind when it was killed, so that there is no moment without one.
// (Setting the umask around bind would change it for every goroutine.)
func Listen(o ListenOptions) (*Listener, error) {
	l := &Listener{path: o.Path}
	l.close = sync.OnceValue(l.shut)
	gid, err := groupID(o.Group)
	if err != nil {
		l.Limited = append(l.Limited, fmt.Sprintf("the socket is open to its owner and to the process's own group alone: %v; make the group with: groupadd --system %s, then restart berth", err, o.Group))
	}
	if err := l.makeFolder(gid, o.Group); err != nil {
		return nil, err
	}
	if l.lock, err = takeLock(o.Path + ".lock"); err != nil {
		return nil, err
	}
	if l.Listener, err = inherited(o.Handed); l.Listener == nil && err == nil {
		l.owned = true
		l.Listener, err = l.bind(gid, o.Group)
	}
	if err != nil {
		return nil, errors.Join(err, l.lock.release())
	}
	return l, nil
}

// Addr is the socket's path.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Close stops listening and removes the socket, unless it is systemd's, and
// the lock. Closing again does nothing.
func (l *Listener) Close() error { return l.close() }

func (l *Listener) shut() error {
	err := l.Listener.Close()
	if l.owned {
		if e := os.Remove(l.path); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, l.lock.release())
}

// makeFolder makes the socket's folder, 0750 and the group's, if it is missing.
func (l *Listener) makeFolder(gid int, group string) error {
	folder := filepath.Dir(l.path)
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return fmt.Errorf("make folder of socket: %w", err)
	}
	err := os.Mkdir(folder, 0o750)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make folder of socket: %w", err)
	}
	if err := os.Chmod(folder, 0o750); err != nil { // whatever the umask is
		return fmt.Errorf("make folder of socket: %w", err)
	}
	l.give(folder, gid, group)
	return nil
}

// give hands path to the group, or notes that it could not. What has the group
// already, as all that a process makes has its own, is left alone: a service's
// filter may refuse the call.
func (l *Listener) give(path string, gid int, group string) {
	if gid < 0 || groupOf(path) == gid {
		return
	}
	if err := os.Chown(path, -1, gid); err != nil {
		l.Limited = append(l.Limited, fmt.Sprintf("members of group %s cannot connect: %v; run berth as a member of the group, or as root", group, err))
	}
}

// groupOf returns whose group a file is; -1 if that cannot be told.
func groupOf(path string) int {
	info, err := os.Lstat(path)
	if err != nil {
		return -1
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Gid)
	}
	return -1
}

// longest is how many bytes the kernel takes as a socket's path.
const longest = 107

// bind makes the socket as [Listen] describes.
func (l *Listener) bind(gid int, group string) (net.Listener, error) {
	if old, err := os.Lstat(l.path); err == nil && old.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("listen on %s: it exists and is no socket", l.path)
	}
	private, err := os.MkdirTemp(filepath.Dir(l.path), ".b")
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.path, err)
	}
	defer func() { _ = os.RemoveAll(private) }()
	made := filepath.Join(private, "s")
	if over := len(made) - longest; over > 0 {
		return nil, fmt.Errorf("listen on %s: the path is %d bytes too long for a socket", l.path, over)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.path, err)
	}
	listener.SetUnlinkOnClose(false)
	l.give(made, gid, group)
	if err := errors.Join(os.Chmod(made, 0o660), os.Rename(made, l.path)); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", l.path, err), listener.Close())
	}
	return listener, nil
}

// inherited returns the unix socket among what was handed over, nil if there is
// none.
func inherited(handed []*os.File) (net.Listener, error) {
	var found net.Listener
	var errs []error
	for _, file := range handed {
		l, err := net.FileListener(file)
		if u, ok := l.(*net.UnixListener); ok && found == nil {
			found = u
		} else if err == nil {
			errs = append(errs, l.Close())
		}
		errs = append(errs, file.Close())
	}
	return found, errors.Join(errs...)
}

// groupID finds a group by name or number; -1 stands for no change.
func groupID(name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	if id, err := strconv.Atoi(name); err == nil {
		return id, nil
	}
	group, err := user.LookupGroup(name)
	if err != nil {
		return -1, fmt.Errorf("look up group %s: %w", name, err)
	}
	id, err := strconv.Atoi(group.Gid)
	if err != nil {
		return -1, fmt.Errorf("look up group %s: %w", name, err)
	}
	return id, nil
}
