package dogstatsd

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A poller waits for sockets that can be read, upstreams that take something
// again, and for being woken.
type poller struct {
	clock     *clock
	fd, event int
	events    [512]unix.EpollEvent
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make poller: %w", err)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make poller: %w", err)
	}
	c, err := newClock()
	if err != nil {
		return nil, errors.Join(err, unix.Close(event), unix.Close(fd))
	}
	p := &poller{clock: c, fd: fd, event: event}
	return p, p.add(event, unix.EPOLLIN)
}

func (p *poller) add(fd int, what uint32) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: what, Fd: int32(fd)})
}

func (p *poller) remove(fd int) { _ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil) }

// wake ends a wait, the present one or the next.
func (p *poller) wake() { _, _ = unix.Write(p.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// wait returns the descriptors that are ready, perhaps none. A negative limit
// waits for ever.
func (p *poller) wait(limit time.Duration) []unix.EpollEvent {
	if limit != 0 {
		p.clock.await(p.fd, limit)
	}
	return p.look()
}

// look is wait without waiting: the scheduler need not be told.
func (p *poller) look() []unix.EpollEvent {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	if errno != 0 {
		return nil
	}
	return p.events[:n]
}

// calm takes back wakes that have been seen.
func (p *poller) calm() {
	var b [8]byte
	_, _ = unix.Read(p.event, b[:])
}

func (p *poller) close() {
	p.clock.close()
	_ = unix.Close(p.event)
	_ = unix.Close(p.fd)
}

// pause sleeps, where that is rare enough to need no clock.
func pause(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&left, nil)
}
