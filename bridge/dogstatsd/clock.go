package dogstatsd

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A clock lets its goroutine sleep at the least cost. A goroutine that sleeps in
// a system call keeps the runtime's monitor awake, which takes its processor
// away each time, and the runtime's own timers wake a second thread. One that
// waits for a descriptor is woken by the very thread that then runs it.
type clock struct {
	file  *os.File // a timerfd, in the runtime's poller
	conn  syscall.RawConn
	sleep func(fd uintptr) (over bool)
	until unix.ItimerSpec
	set   bool
}

func newClock() (*clock, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make clock: %w", err)
	}
	c := &clock{file: os.NewFile(uintptr(fd), "clock")}
	if c.conn, err = c.file.SyscallConn(); err != nil {
		_ = c.file.Close()
		return nil, fmt.Errorf("make clock: %w", err)
	}
	c.sleep = c.once
	return c, nil
}

// pause sleeps. It is for one goroutine, and between two pauses no timer runs.
func (c *clock) pause(d time.Duration) {
	if d <= 0 { // that would stop the timer
		return
	}
	c.until.Value, c.set = unix.NsecToTimespec(int64(d)), false
	if c.conn.Read(c.sleep) != nil { // the runtime cannot wait for it
		pause(d)
	}
}

// once sets the timer, and is over when it is called again: then that has run
// out. What has run out need not be read: setting it anew forgets it.
func (c *clock) once(fd uintptr) (over bool) {
	if c.set {
		return true
	}
	c.set = true
	_, _, errno := unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&c.until)), 0, 0, 0)
	return errno != 0
}

func (c *clock) close() { _ = c.file.Close() }
