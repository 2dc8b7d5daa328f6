package dogstatsd

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A clock lets one goroutine sleep at the least cost. A goroutine that sleeps in
// a system call keeps the runtime's monitor awake, which takes its processor
// away each time, and the runtime's own timers wake a second thread. One that
// waits for a descriptor is woken by the very thread that then runs it.
type clock struct {
	gate  int // an epoll of the timer, in that of the runtime
	file  *os.File
	conn  syscall.RawConn
	timer int // a timerfd

	fd      int           // what is waited for beside the timer; -1: nothing
	limit   time.Duration // of the timer; none: it does not run
	begun   bool
	sleep   func(gate uintptr) (over bool)
	setting unix.ItimerSpec
	event   unix.EpollEvent
}

func newClock() (*clock, error) {
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make clock: %w", err)
	}
	gate, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		_ = unix.Close(timer)
		return nil, fmt.Errorf("make clock: %w", err)
	}
	err = errors.Join(
		unix.EpollCtl(gate, unix.EPOLL_CTL_ADD, timer, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(timer)}),
		unix.SetNonblock(gate, true), // else the runtime would not poll it
	)
	c := &clock{gate: gate, file: os.NewFile(uintptr(gate), "clock"), timer: timer, event: unix.EpollEvent{Events: unix.EPOLLIN}}
	c.sleep = c.once
	c.conn, _ = c.file.SyscallConn()
	if err = errors.Join(err, c.file.SetReadDeadline(time.Time{})); err != nil { // it is not polled
		c.close()
		return nil, fmt.Errorf("make clock: %w", err)
	}
	return c, nil
}

// pause sleeps.
func (c *clock) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	c.fd, c.limit, c.begun = -1, d, false
	_ = c.conn.Read(c.sleep)
}

// await sleeps until a descriptor can be read, or until it has done so for long
// enough; with a negative limit no timer runs. It may return for nothing.
func (c *clock) await(fd int, limit time.Duration) {
	c.fd, c.limit, c.begun = fd, limit, false
	_ = c.conn.Read(c.sleep)
	c.control(unix.EPOLL_CTL_DEL) // in a pause nothing of it is to wake us
	if limit > 0 {
		c.set(0)
	}
}

// once is called before the sleep, and again after it. What it begins cannot
// end unheard: the runtime listens by then.
func (c *clock) once(uintptr) (over bool) {
	if c.begun {
		return true
	}
	c.begun = true
	if c.limit > 0 {
		c.set(c.limit)
	}
	return c.fd >= 0 && !c.control(unix.EPOLL_CTL_ADD)
}

// control puts what is waited for beside the timer, or takes it away.
func (c *clock) control(operation uintptr) bool {
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(c.gate), operation, uintptr(c.fd), uintptr(unsafe.Pointer(&c.event)), 0, 0)
	return errno == 0
}

// set has the timer run out after a while, or never. That it has run out before
// is forgotten: nobody needs to read it.
func (c *clock) set(d time.Duration) {
	c.setting.Value = unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(c.timer), 0, uintptr(unsafe.Pointer(&c.setting)), 0, 0, 0)
}

func (c *clock) close() {
	_ = c.file.Close()
	_ = unix.Close(c.timer)
}
