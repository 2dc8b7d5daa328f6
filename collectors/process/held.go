package process

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/inventory"
)

// A Process is the first process of a running container.
type Process struct {
	PID     int
	Started time.Time // when it was made, before it ran anything of the container's; zero: cannot be seen
	Inode   uint64    // of the container's cgroup, as dogstatsd clients name it; 0: cannot be seen
}

// held is a process with the descriptor that stands for it.
type held struct {
	Process
	id inventory.ID
	fd int
}

var errAnother = errors.New("the process is another's")

// hold opens a container's process. The order makes it certain: what had the
// ID when the cgroup was read is what the descriptor stands for, because that
// lives afterwards.
func (w *Watcher) hold(id inventory.ID, pid int) (*held, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	text, err := cgroup(w.proc(), pid)
	folders, started := foldersOf(text, id), startOf(w.proc(), pid)
	switch {
	case ended(fd):
		err = unix.ESRCH
	case err != nil:
	case len(folders) == 0:
		err = errAnother
	default:
		return &held{Process{pid, started, inode(w.cgroups(), folders)}, id, fd}, nil
	}
	_ = unix.Close(fd)
	return nil, fmt.Errorf("look at process %d: %w", pid, err)
}

// ended reports whether a pidfd's process has ended.
func ended(fd int) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(poll, 0)
		if !errors.Is(err, unix.EINTR) {
			return n > 0 || err != nil
		}
	}
}
