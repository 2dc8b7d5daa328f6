package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"
)

// Limits of one connection.
const (
	headerTime = 10 * time.Second // to send a request's header
	bodyTime   = 30 * time.Second // to send its body
	writeTime  = 30 * time.Second // to take an answer, or one line of a stream
	idleTime   = 2 * time.Minute  // between two requests
	closeTime  = 5 * time.Second  // for answers under way when the daemon stops
	maxHeader  = 64 << 10         // bytes
	maxBody    = 1 << 20          // bytes
)

// A Server serves a [Backend] on a socket.
type Server struct {
	Backend       Backend
	OperatorGroup string // whose members may operate, by name or number; empty: no group
	Version       Version
	Log           *slog.Logger
	Proc          string        // where the process file system is; empty: /proc
	Heartbeat     time.Duration // silence after which a followed stream shows that it lives; 0: 15 s
}

// Serve answers on l until ctx ends, which also ends the contexts of all
// requests and so every stream. It closes l, waits up to 5 s for answers under
// way, and returns nil; another error is the listener's.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       s.identify,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if err := server.Shutdown(late); err != nil {
		s.Log.Warn("end connections", "err", err)
		_ = server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// identify notes in a connection's context who is at its other end.
func (s *Server) identify(ctx context.Context, c net.Conn) context.Context {
	peer, err := readPeer(c, cmp.Or(s.Proc, "/proc"))
	if err != nil {
		s.Log.Warn("identify peer", "err", err)
	}
	return context.WithValue(ctx, peerKey{}, peer)
}

// mayOperate is nil if the peer may do more than read; else it says what that takes.
func (s *Server) mayOperate(p Peer) *Problem {
	if p.Container != "" {
		return Forbidden("callers inside a container only read, and this one is in container %.12s: ask from the host", p.Container)
	}
	if p.Hidden != "" {
		return Forbidden("it cannot be told whether the caller is inside a container, where callers only read: %s", p.Hidden)
	}
	if p.UID == 0 || p.UID == os.Geteuid() {
		return nil
	}
	if s.OperatorGroup == "" {
		return Forbidden("this takes root or the daemon's own user (uid %d), and the caller is uid %d: no operator group is configured", os.Geteuid(), p.UID)
	}
	// Looked up each time: groups are made and removed while the daemon runs.
	if gid, err := groupID(s.OperatorGroup); err == nil && slices.Contains(p.Groups, gid) {
		return nil
	}
	return Forbidden("this takes root, the daemon's own user (uid %d) or a member of group %s, and the caller is uid %d", os.Geteuid(), s.OperatorGroup, p.UID)
}
