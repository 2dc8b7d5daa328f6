package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/inventory"
)

// most is how many processes are held at once: a descriptor each.
const most = 4096

// A Watcher holds the processes of one host. Inventory and Log are required.
type Watcher struct {
	Inventory *inventory.Inventory
	Log       *slog.Logger
	// Ended is told of each container whose process has ended, from one
	// goroutine and at once: it should be quick. nil: nobody is told.
	Ended func(inventory.ID)

	Proc    string // empty: /proc
	Cgroups string // where cgroups are mounted; empty: /sys/fs/cgroup

	mu      sync.Mutex // guards the fields below, and what the descriptors stand for
	epoll   int
	byID    map[inventory.ID]*held
	byFD    map[int]*held
	over    map[inventory.ID]Process // those that have ended, while the inventory still shows them
	fault   string
	expired chan struct{} // closed when byID changes; nil until somebody watches
}

func (w *Watcher) proc() string    { return cmp.Or(w.Proc, "/proc") }
func (w *Watcher) cgroups() string { return cmp.Or(w.Cgroups, "/sys/fs/cgroup") }

// Watch returns the processes that are certain, and a channel that is closed as
// soon as that changes. One that has ended is told by Ended alone, and is here
// as long as the inventory shows it: who compares the two sees no difference.
func (w *Watcher) Watch() (map[inventory.ID]Process, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.expired == nil {
		w.expired = make(chan struct{})
	}
	now := maps.Clone(w.over)
	if now == nil {
		now = map[inventory.ID]Process{}
	}
	for id, h := range w.byID {
		now[id] = h.Process
	}
	return now, w.expired
}

// Fault is why some container's process is not held although it should be;
// empty if none is missing.
func (w *Watcher) Fault() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

// Run follows the inventory until ctx ends. A kernel that cannot tell (before
// 5.3) is no error: nothing is certain then.
func (w *Watcher) Run(ctx context.Context) error {
	ends, err := w.open()
	if err != nil {
		w.Log.Warn("watch processes", "err", err)
		w.mu.Lock()
		w.fault = err.Error()
		w.mu.Unlock()
		<-ctx.Done()
		return nil
	}
	var waiting sync.WaitGroup
	waiting.Go(func() { w.wait(ends) })
	for ctx.Err() == nil {
		now, changed := w.Inventory.Watch()
		w.follow(now)
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
	_ = ends.SetReadDeadline(time.Unix(0, 1))
	waiting.Wait()
	w.letGo()
	return ends.Close()
}

// open makes what all ends are waited for on. The runtime's poller takes it as
// it takes a socket, so no thread is blocked.
func (w *Watcher) open() (*os.File, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	if err := unix.SetNonblock(epoll, true); err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epoll, w.byID, w.byFD, w.over = epoll, map[inventory.ID]*held{}, map[int]*held{}, map[inventory.ID]Process{}
	return os.NewFile(uintptr(epoll), "epoll"), nil
}

// wait tells of ends until the file's deadline.
func (w *Watcher) wait(ends *os.File) {
	raw, err := ends.SyscallConn()
	if err != nil {
		w.Log.Warn("watch processes", "err", err)
		return
	}
	var gone []inventory.ID
	for err == nil {
		err = raw.Read(func(uintptr) bool {
			gone = w.take()
			return len(gone) > 0
		})
		for _, id := range gone {
			if w.Ended != nil {
				w.Ended(id)
			}
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		w.Log.Warn("watch processes", "err", err)
	}
}

// take removes the processes that have ended.
func (w *Watcher) take() (gone []inventory.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := make([]unix.EpollEvent, 64)
	for {
		n, err := unix.EpollWait(w.epoll, events, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return gone
		}
		for _, e := range events[:n] {
			if h := w.byFD[int(e.Fd)]; h != nil {
				w.over[h.id] = h.Process
				w.drop(h)
				gone = append(gone, h.id)
			}
		}
	}
}

// follow holds what runs and lets go of what does not.
func (w *Watcher) follow(now inventory.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	pids := make(map[inventory.ID]int, len(now.Containers))
	for _, c := range now.Containers {
		if c.PID > 0 {
			pids[c.ID] = c.PID
		}
	}
	for id, p := range w.over {
		if pids[id] != p.PID {
			delete(w.over, id)
			w.expire()
		}
	}
	for id, h := range w.byID {
		if pids[id] != h.PID {
			w.drop(h)
		}
	}
	fault := ""
	for id, pid := range pids {
		if w.byID[id] != nil || w.over[id].PID == pid {
			continue
		}
		if err := w.add(id, pid); err != nil {
			fault = fmt.Sprintf("container %s: %v", id.Short(), err)
		}
	}
	if fault != "" && fault != w.fault {
		w.Log.Warn("hold process", "err", fault)
	}
	w.fault = fault
}

// add holds one more. One that has ended already is none: Docker will say so.
func (w *Watcher) add(id inventory.ID, pid int) error {
	if len(w.byID) >= most {
		return fmt.Errorf("%d processes are held already", most)
	}
	h, err := w.hold(id, pid)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(h.fd)}
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, h.fd, &event); err != nil {
		_ = unix.Close(h.fd)
		return fmt.Errorf("wait for process %d: %w", pid, err)
	}
	w.byID[id], w.byFD[h.fd] = h, h
	w.expire()
	return nil
}

// drop lets go of one.
func (w *Watcher) drop(h *held) {
	delete(w.byID, h.id)
	delete(w.byFD, h.fd)
	_ = unix.Close(h.fd)
	w.expire()
}

func (w *Watcher) letGo() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.byID {
		w.drop(h)
	}
}

func (w *Watcher) expire() {
	if w.expired != nil {
		close(w.expired)
		w.expired = nil
	}
}
