package docker0

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// How long to wait after netlink has failed: doubled each time.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// A Watcher keeps a [State] true. Interface and Log are required.
type Watcher struct {
	Interface string // Docker's default bridge: "docker0"
	Log       *slog.Logger

	// Stable is put on lo, so that containers find this host there whatever
	// docker0's address is. It stays when Run returns, so that a restart leaves
	// no gap; a Watcher that has another Stable, or none, takes it away.
	Stable netip.Addr

	Namespace *os.File // a network namespace (needs CAP_SYS_ADMIN); nil: that of the process
	Buffer    int      // bytes for news that was not read yet; 0: 1 MiB, or what the kernel grants

	mu      sync.Mutex // guards the fields below
	state   State
	expired chan struct{}
}

// Run watches until ctx ends and then returns nil. That netlink fails is no
// error: the last state stays, with a fault, and it is tried again.
func (w *Watcher) Run(ctx context.Context) error {
	retry := firstRetry
	for {
		err := w.follow(ctx, func() { retry = firstRetry })
		if ctx.Err() != nil {
			return nil
		}
		w.mu.Lock()
		s := w.state
		w.mu.Unlock()
		s.Faults = []string{"the kernel does not tell of links and addresses: " + err.Error()}
		w.show(s)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retry):
		}
		retry = min(2*retry, lastRetry)
	}
}

// follow lists, waits for news, and lists again, until ctx ends or netlink
// fails. It subscribes before it lists, so nothing happens in between unseen.
func (w *Watcher) follow(ctx context.Context, listed func()) error {
	news, err := w.subscribe()
	if err != nil {
		return err
	}
	defer news.Close()
	defer context.AfterFunc(ctx, func() { _ = news.SetReadDeadline(time.Unix(1, 0)) })()
	// Another socket: an answer would otherwise stand among the news.
	ask, err := w.dial(0)
	if err != nil {
		return err
	}
	defer ask.Close()
	for {
		p, err := list(ask)
		if err != nil {
			return err
		}
		s := p.state(w.Interface)
		if err := w.settle(ask, p, &s); err != nil {
			return err
		}
		w.show(s)
		listed()
		if err := w.await(news, p); err != nil {
			return err
		}
	}
}

func (w *Watcher) dial(groups uint32) (*netlink.Conn, error) {
	c := &netlink.Config{Groups: groups}
	if w.Namespace != nil {
		c.NetNS = int(w.Namespace.Fd())
	}
	return netlink.Dial(unix.NETLINK_ROUTE, c)
}

func (w *Watcher) subscribe() (*netlink.Conn, error) {
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if w.Stable.IsValid() {
		groups |= unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE
	}
	c, err := w.dial(groups)
	if err != nil {
		return nil, err
	}
	size := w.Buffer
	if size == 0 {
		size = 1 << 20
	}
	if err := c.SetReadBuffer(size); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// await returns once there is news that p may not hold. If news was lost, all
// of it may have been about us.
func (w *Watcher) await(news *netlink.Conn, p picture) error {
	for {
		messages, err := news.Receive()
		if errors.Is(err, unix.ENOBUFS) {
			w.Log.Info("netlink lost news, list again")
			return nil
		}
		if err != nil {
			return err
		}
		for _, m := range messages {
			if w.concerns(m, p) {
				return nil
			}
		}
	}
}

// concerns reports whether news is about what a state is made of. Most is not:
// each container brings a link of its own.
func (w *Watcher) concerns(m netlink.Message, p picture) bool {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		l, err := parseLink(m.Data)
		return err != nil || isBridge(l.name, w.Interface) || p.knows(l.index, w.Interface)
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		a, err := parseAddress(m.Data)
		return err != nil || p.knows(a.index, w.Interface) || a.addr == w.Stable
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		r, err := parseRoute(m.Data)
		return err != nil || r.to == netip.PrefixFrom(w.Stable, w.Stable.BitLen())
	}
	return false
}
