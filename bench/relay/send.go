package relay

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sent is what a sender has to say at its end.
type sent struct {
	Datagrams int // without the victim's
	Victim    int
	CPU       int64         // of the thread that sent, ns
	Took      time.Duration // longer than the load's span: it could not keep up
	Late      time.Duration // at most, behind its schedule
}

// A source is a container's socket with its datagrams laid out for sendmmsg.
type source struct {
	fd   int
	msgs []unix.Mmsghdr
	iovs []unix.Iovec
	data [][]byte
	next int
}

// send sends a load, from one thread that is woken by nothing but its clock.
func send(l Load, out io.Writer) error {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set timer slack: %w", err)
	}
	var sources []*source
	for n := range l.Senders {
		s, err := newSource(n%containers, n/containers, l, "app")
		if err != nil {
			return err
		}
		sources = append(sources, s)
	}
	var victim *source
	if l.Victim {
		var err error
		if victim, err = newSource(containers-1, 0, l, "victim"); err != nil {
			return err
		}
	}
	said := pace(l, sources, victim)
	runtime.KeepAlive(sources)
	return json.NewEncoder(out).Encode(said)
}

// pace sends each tick's datagrams when it is due. A tick that comes late is
// made up for at once, as a client would.
func pace(l Load, sources []*source, victim *source) (said sent) {
	each := int(int64(l.Rate) * int64(l.Tick) / int64(time.Second))
	ticks := int64(l.Span / l.Tick)
	cpu, began, base := now(unix.CLOCK_THREAD_CPUTIME_ID), now(unix.CLOCK_MONOTONIC), time.Now()
	turn := 0
	for tick := range ticks {
		due := tick * int64(l.Tick)
		until(began + due)
		said.Late = max(said.Late, time.Since(base)-time.Duration(due))
		half := 0
		if victim != nil {
			half = each / 2
			said.Datagrams += sources[0].send(half)
			said.Victim += victim.send(1)
		}
		for left := each - half; left > 0; turn++ {
			share := min(left, max(1, each/len(sources)))
			said.Datagrams += sources[turn%len(sources)].send(share)
			left -= share
		}
	}
	said.Took = time.Since(base)
	said.CPU = now(unix.CLOCK_THREAD_CPUTIME_ID) - cpu
	return said
}

// newSource opens a socket in a container's namespace: it stays there.
func newSource(container, m int, l Load, prefix string) (*source, error) {
	space := openedSpace(container)
	if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("enter container %d: %w", container, err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: netip.MustParseAddr(address(container, m)).As4()}); err != nil {
		return nil, fmt.Errorf("bind: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: netip.MustParseAddr(gateway).As4(), Port: l.Port}); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	s := &source{fd: fd, data: payloads(l.Lines, prefix), msgs: make([]unix.Mmsghdr, kinds), iovs: make([]unix.Iovec, kinds)}
	for n, p := range s.data {
		s.iovs[n].Base = &p[0]
		s.iovs[n].SetLen(len(p))
		s.msgs[n].Hdr.Iov = &s.iovs[n]
		s.msgs[n].Hdr.SetIovlen(1)
	}
	return s, nil
}

// send sends the next n datagrams and returns how many the kernel took.
func (s *source) send(n int) (taken int) {
	for n > 0 {
		batch := min(n, kinds-s.next)
		// Raw: nothing else runs here, and the scheduler need not be told.
		got, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.msgs[s.next])), uintptr(batch), 0, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno == 0 {
			batch = int(got)
			taken += batch
		} else {
			batch = 1 // refused: nobody listens
		}
		s.next = (s.next + batch) % kinds
		n -= batch
	}
	return taken
}

func now(clock int32) int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(clock, &ts)
	return ts.Nano()
}

// until sleeps to a time of the monotonic clock.
func until(due int64) {
	ts := unix.NsecToTimespec(due)
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
		if errno != unix.EINTR {
			return
		}
	}
}
