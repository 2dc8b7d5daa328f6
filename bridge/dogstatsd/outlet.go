package dogstatsd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/sys/unix"
)

// How long an upstream that is away is left alone, at first and at most.
const (
	firstRetry = 20 * time.Millisecond
	lastRetry  = 250 * time.Millisecond
)

// An outlet is the way to one upstream. Nothing in it waits.
type outlet struct {
	url     string
	network string // udp, unixgram or unix
	host    string // of udp
	path    string // of the others
	cpath   *byte  // the same, as the kernel wants it
	remote  unix.Sockaddr
	local   bool // what is sent does not leave this host
	cred    bool // who sends can be told beside the bytes

	fd      int // -1: not connected
	inode   uint64
	stat    unix.Stat_t // of the path, when it was last looked at
	how     unix.OpenHow
	up      bool
	full    bool // it took no more when it was asked last
	armed   bool // the kernel will say when it does
	fault   string
	since   time.Time
	retry   time.Time // not to be tried before
	backoff time.Duration
	frame   []byte // what a stream was sent last
	rest    []byte // of it, what was not taken yet
	batch   time.Time
	gulped  int // packets in this batch since the last breath

	datagrams, messages, bytes, dropped uint64

	send   sendBatch
	wake   func(o *outlet, full bool) // tells the poller what to wait for
	lookup func(o *outlet)            // asks for the address of host, without waiting
	asking bool                       // that goes on
}

const (
	outBatch = 32                     // datagrams are offered to an upstream at once
	gulp     = 16                     // to a UDP port, whose buffer usually holds 25, without giving it time
	breath   = 200 * time.Microsecond // that it is given
)

// parseOutlet reads an upstream's URL.
func parseOutlet(text string) (*outlet, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("upstream %q: %w", text, err)
	}
	o := &outlet{url: text, network: u.Scheme, fd: -1, backoff: firstRetry}
	switch u.Scheme {
	case "udp":
		if _, _, err := net.SplitHostPort(u.Host); err != nil {
			return nil, fmt.Errorf("upstream %q: %w", text, err)
		}
		o.host = u.Host
		o.remote, o.local, _ = resolve(u.Host)
	case "unixgram", "unix":
		if u.Path == "" || u.Host != "" {
			return nil, fmt.Errorf("upstream %q: the path is to follow three slashes", text)
		}
		o.path, o.local = u.Path, true
		if o.cpath, err = unix.BytePtrFromString(u.Path); err != nil {
			return nil, fmt.Errorf("upstream %q: %w", text, err)
		}
		o.remote = &unix.SockaddrUnix{Name: u.Path}
		o.cred = u.Scheme == "unixgram" && mayImpersonate()
	default:
		return nil, fmt.Errorf("upstream %q: it is none of udp://host:port, unixgram:///path, unix:///path", text)
	}
	return o, nil
}

// size is how large a packet may be, in bytes.
func (o *outlet) size() int {
	switch {
	case !o.local:
		return wireSize
	case o.network == "udp":
		return udpSize
	default:
		return packetSize
	}
}

// resolve finds the address of a UDP upstream. It may wait for a name server.
func resolve(host string) (unix.Sockaddr, bool, error) {
	at, err := net.ResolveUDPAddr("udp", host)
	if err != nil {
		return nil, false, err
	}
	to := netip.AddrPortFrom(at.AddrPort().Addr().Unmap(), at.AddrPort().Port())
	return sockaddr(to), to.Addr().IsLoopback(), nil
}

// connect makes sure that there is a socket to the upstream which is there now.
func (o *outlet) connect(now time.Time) bool {
	if o.fd >= 0 && o.same() {
		return true
	}
	if o.fd >= 0 {
		o.down(now, errors.New("its socket was replaced"))
		o.retry = now
	}
	if now.Before(o.retry) {
		return false
	}
	if err := o.dial(); err != nil {
		o.down(now, err)
		return false
	}
	return true
}

func (o *outlet) dial() error {
	if o.remote == nil {
		o.lookup(o)
		return errors.New("the name of its host is not known")
	}
	domain, kind := unix.AF_UNIX, unix.SOCK_DGRAM
	switch at := o.remote.(type) {
	case *unix.SockaddrInet4:
		domain = unix.AF_INET
	case *unix.SockaddrInet6:
		domain = unix.AF_INET6
	case *unix.SockaddrUnix:
		var st unix.Stat_t
		if err := unix.Stat(at.Name, &st); err != nil {
			return fmt.Errorf("look for socket: %w", err)
		}
		if o.inode = st.Ino; o.network == "unix" {
			kind = unix.SOCK_STREAM
		}
	}
	fd, err := unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if o.path != "" {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20) // a datagram has to fit
	}
	if err := unix.Connect(fd, o.remote); err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("connect: %w", err)
	}
	o.fd, o.full = fd, false
	return nil
}

// down takes note that the upstream is away, and when to try again.
func (o *outlet) down(now time.Time, err error) {
	if o.fd >= 0 {
		if o.armed {
			o.armed = false
			o.wake(o, false)
		}
		_ = unix.Close(o.fd)
	}
	o.fd, o.full = -1, false
	if len(o.rest) > 0 {
		o.rest = o.frame // the next connection knows nothing of the first part
	}
	o.retry = now.Add(o.backoff)
	o.backoff = min(2*o.backoff, lastRetry)
	if o.up || o.since.IsZero() {
		o.since = now
	}
	o.up, o.fault = false, err.Error()
}

// took takes note that the upstream is there and has taken something.
func (o *outlet) took(p *packet, now time.Time) {
	if !o.up {
		o.up, o.fault, o.since = true, "", now
	}
	o.backoff = firstRetry
	o.datagrams++
	o.messages += p.messages()
	o.bytes += uint64(len(p.body))
}

func (o *outlet) close() {
	if o.armed {
		o.armed = false
		o.wake(o, false)
	}
	if o.fd >= 0 {
		_ = unix.Close(o.fd)
		o.fd = -1
	}
}

// A verdict is what became of packets that were offered.
type verdict struct {
	taken int  // so many went out
	mark  bool // the next one cannot go as it is: its lines are to say whose they are
	spent bool // the next one never will
	cause int  // why it never will
}

// offer sends packets in their order, as far as the upstream takes them now.
func (o *outlet) offer(packets []*packet, now time.Time) verdict {
	if o.full || !o.connect(now) {
		return verdict{}
	}
	ready := 0
	for ready < min(len(packets), outBatch) && o.fits(packets[ready]) {
		ready++
	}
	if ready == 0 {
		return verdict{mark: true}
	}
	switch o.network {
	case "unix":
		return o.stream(packets[0], now)
	case "udp":
		ready = o.breathe(ready, now)
	}
	n, errno := o.write(packets[:ready])
	for _, p := range packets[:n] {
		o.took(p, now)
	}
	if errno == 0 {
		return verdict{taken: n}
	}
	v := o.judge(packets[n], errno, now)
	v.taken = n
	return v
}

// breathe gives the reader of a UDP port time, which nothing else does: what
// its buffer does not hold is lost, and nobody is told.
func (o *outlet) breathe(packets int, now time.Time) int {
	if now != o.batch {
		o.batch, o.gulped = now, 0
	}
	if o.gulped >= gulp {
		pause(breath)
		o.gulped = 0
	}
	packets = min(packets, gulp-o.gulped)
	o.gulped += packets
	return packets
}

// fits reports whether a packet can go to this upstream as it is.
func (o *outlet) fits(p *packet) bool { return p.bare == nil || o.cred && p.bare.creditable() }

// judge decides about the packet that was not taken.
func (o *outlet) judge(p *packet, errno unix.Errno, now time.Time) (v verdict) {
	switch errno {
	case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM:
		o.block()
	case unix.ECONNREFUSED, unix.ENOTCONN, unix.ECONNRESET, unix.EPIPE, unix.ENOENT, unix.EDESTADDRREQ, unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN:
		o.down(now, errno)
	case unix.EMSGSIZE:
		v.spent, v.cause = true, dropOversize
	default:
		if p.bare != nil { // its process has just ended, or we may not name it
			v.mark = true
			break
		}
		o.fault = errno.Error()
		v.spent, v.cause = true, dropRefused
	}
	return v
}

// block waits for the kernel's word that the upstream takes more.
func (o *outlet) block() {
	if o.full = true; !o.armed && o.wake != nil {
		o.armed = true
		o.wake(o, true)
	}
}

// stream sends one packet behind its length, and keeps what of that was not
// taken: the rest goes first when there is room.
func (o *outlet) stream(p *packet, now time.Time) verdict {
	if !o.flush(now) {
		return verdict{}
	}
	o.frame = binary.LittleEndian.AppendUint32(o.frame[:0], uint32(len(p.body)))
	o.frame = append(o.frame, p.body...)
	n, err := unix.SendmsgN(o.fd, o.frame, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if errno, failed := errors.AsType[unix.Errno](err); failed {
		return o.judge(p, errno, now)
	}
	if o.rest = o.frame[n:]; len(o.rest) > 0 {
		o.block()
	}
	o.took(p, now)
	return verdict{taken: 1}
}

// flush sends the rest of a frame, and reports whether there is none any more.
func (o *outlet) flush(now time.Time) bool {
	for len(o.rest) > 0 {
		n, err := unix.SendmsgN(o.fd, o.rest, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if errno, failed := errors.AsType[unix.Errno](err); failed {
			o.judge(&packet{}, errno, now)
			return false
		}
		o.rest = o.rest[n:]
	}
	return true
}

// state is the outlet's, for those outside.
func (o *outlet) state() Outlet {
	return Outlet{
		URL: o.url, Up: o.up, Fault: o.fault, Since: o.since,
		Datagrams: o.datagrams, Messages: o.messages, Bytes: o.bytes, Dropped: o.dropped,
	}
}
