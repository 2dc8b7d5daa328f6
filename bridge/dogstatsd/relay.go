package dogstatsd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Names begin with these under which a relay's sockets and rings outlive its
// process.
const (
	socketName = "relay-socket-"
	ringName   = "relay-ring-"
)

// Handed reports whether a file of this name is for [New].
func Handed(name string) bool {
	return strings.HasPrefix(name, socketName) || strings.HasPrefix(name, ringName)
}

// Options are what a relay is built with.
type Options struct {
	Log      *slog.Logger
	Settings Settings
	Lookup   func(netip.Addr)          // asks whose address this is, without waiting; the answer comes by Origins; may be nil
	Handed   map[string]*os.File       // what an earlier process has kept
	Keep     func(name string, fd int) // hands a descriptor to whoever keeps it for the next process; may be nil: nobody does
	Unkeep   func(name string)         // takes that back
}

// A Relay is the relay. Its methods can be called at any time, from anywhere,
// and wait for nothing but the work on one batch.
type Relay struct {
	Options
	poller  *poller
	in      *receiver
	resolve sync.WaitGroup

	mu        sync.Mutex // guards the fields below; taken once for each batch
	settings  Settings
	mode      Mode // never Auto
	why       string
	size      int // of a packet
	table     *table
	senders   map[key]*sender
	strangers int
	others    *sender // all addresses beyond the first strangers
	gone      Count   // of those who were forgotten
	local     map[netip.Addr]bool

	sockets   []*socket
	byFD      map[int32]*socket
	processes map[int32]*sender
	filter    []int
	lanes     []*lane
	outlets   map[int32]*outlet // those that wait for room
	pace      pace
	again     bool // some sockets have more than one turn's datagrams

	open      *packet // lines of everybody
	out       []*packet
	free      []*packet
	packs     []*sender // whose lines wait by themselves
	awaited   []*sender
	heldBytes int
	evicted   time.Time // when strangers were last looked through
	taps      []*Tap
	now       time.Time // of the present batch
	closed    bool
}

// New makes a relay that listens nowhere yet. It takes over what was handed.
func New(o Options) (*Relay, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	r := &Relay{
		Options: o, poller: p, in: newReceiver(), table: newTable(0), senders: map[key]*sender{}, others: &sender{process: -1},
		local: map[netip.Addr]bool{}, byFD: map[int32]*socket{}, processes: map[int32]*sender{}, outlets: map[int32]*outlet{}, open: newPacket(), pace: pace{wait: mostWait},
	}
	r.now = time.Now()
	for name, file := range o.Handed {
		if strings.HasPrefix(name, socketName) {
			r.adopt(name, file)
		}
	}
	if err := r.Set(o.Settings); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// adopt takes over a socket. One that is none of ours is closed.
func (r *Relay) adopt(name string, file *os.File) {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	_ = file.Close()
	var s *socket
	if err == nil {
		s, err = adopt(fd, name)
	}
	if err == nil {
		err = r.poll(s)
	}
	if err != nil {
		r.Log.Warn("adopt socket", "name", name, "err", err)
		if fd >= 0 {
			_ = unix.Close(fd)
		}
		if r.Unkeep != nil {
			r.Unkeep(name)
		}
	}
}

// poll makes a socket one of those that are read.
func (r *Relay) poll(s *socket) error {
	if err := r.poller.add(s.fd, unix.EPOLLIN); err != nil {
		return fmt.Errorf("poll socket of %s: %w", s.address, err)
	}
	r.sockets = append(r.sockets, s)
	r.byFD[int32(s.fd)] = s
	return nil
}

// Listen makes the relay listen on these addresses, which need not be there
// yet, and no others, to what comes by these interfaces or from this host. It
// goes on where one of them cannot be had, and says which.
func (r *Relay) Listen(addresses []netip.AddrPort, interfaces []int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	var errs []error
	clear(r.local)
	for _, a := range addresses {
		r.local[a.Addr().Unmap()] = true
		if !slices.ContainsFunc(r.sockets, func(s *socket) bool { return s.address == a }) {
			errs = append(errs, r.listen(a))
		}
	}
	r.filter = interfaces[:min(len(interfaces), mostInterfaces)]
	for _, s := range slices.Clone(r.sockets) {
		if !slices.Contains(addresses, s.address) {
			r.leave(s)
			continue
		}
		errs = append(errs, r.guard(s))
	}
	r.pace.room = r.room()
	r.signal()
	return errors.Join(errs...)
}

func (r *Relay) listen(a netip.AddrPort) error {
	all, err := listen(a)
	if err != nil {
		return err
	}
	for i, s := range all {
		s.name = fmt.Sprintf("%s%d-%d", socketName, time.Now().UnixNano(), i)
		if err := r.poll(s); err != nil {
			return err
		}
		if r.Keep != nil {
			r.Keep(s.name, s.fd)
		}
	}
	return nil
}

// guard lets in only what comes by one of the interfaces.
func (r *Relay) guard(s *socket) error {
	if r.filter == nil {
		return nil
	}
	if err := attach(s.fd, unix.SO_ATTACH_FILTER, cameBy(r.filter)); err != nil {
		return fmt.Errorf("filter socket of %s: %w", s.address, err)
	}
	return nil
}

// leave reads what is left in a socket's queue, and closes it.
func (r *Relay) leave(s *socket) {
	r.now = time.Now()
	r.drain(s)
	s.count(r.now)
	r.flush()
	r.poller.remove(s.fd)
	delete(r.byFD, int32(s.fd))
	r.sockets = slices.DeleteFunc(r.sockets, func(t *socket) bool { return t == s })
	r.others.dropped[dropKernel] += s.dropped - s.told
	_ = unix.Close(s.fd)
	if r.Unkeep != nil {
		r.Unkeep(s.name)
	}
}

// room is the smallest buffer of a socket.
func (r *Relay) room() int {
	room := 2 * wantedBuffer
	for _, s := range r.sockets {
		room = min(room, s.buffer)
	}
	return room
}

// Run relays until ctx ends. What it then holds it hands to the upstream if
// that takes it at once, or to the next process.
func (r *Relay) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, r.poller.wake)()
	defer r.resolve.Wait()
	for hot := false; ctx.Err() == nil; {
		hot = r.batch(hot)
	}
	r.finish()
	return nil
}

// Close lets go of all descriptors. A relay that runs has to be stopped before.
func (r *Relay) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	var errs []error
	for _, l := range r.lanes {
		l.end()
		errs = append(errs, l.ring.Close())
	}
	for _, s := range r.sockets {
		_ = unix.Close(s.fd)
	}
	for _, s := range r.senders {
		r.unfollow(s)
	}
	r.poller.close()
	return errors.Join(errs...)
}

// signal has the loop look at its deadlines again.
func (r *Relay) signal() {
	if !r.closed {
		r.poller.wake()
	}
}
