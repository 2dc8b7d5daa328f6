package dockerproxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// Faults are the ways in which the Engine fails for now. The zero value is
// health.
type Faults struct {
	Refuse       bool           // nobody listens: connections are refused, those that exist are cut
	Hang         bool           // requests are read and never answered, as by a stopped process
	HangPath     string         // only requests for this path hang, such as /events
	Status       int            // every answer has this status and an error for a body
	HalfBody     bool           // every answer but the event stream ends in the middle
	SlowList     time.Duration  // how long the answer to a list waits
	EmptyList    bool           // the list of containers is empty, with status 200
	DropFromList []inventory.ID // these containers are missing from the list
	OtherRoot    string         // /info tells this data root
}

// A Request is one request as it arrived.
type Request struct {
	Method string
	Path   string // without the API version
	Query  string
}

// A Proxy listens on a socket of its own. Its methods may be called at any
// time and from any goroutine.
type Proxy struct {
	t        testing.TB
	socket   string
	upstream *http.Transport

	mu       sync.Mutex // guards the fields below
	faults   Faults
	changed  chan struct{} // closed when faults change
	cut      chan struct{} // closed to end the event streams
	requests []Request
	server   *http.Server // nil while refusing
	listener net.Listener // the server's
	serving  sync.WaitGroup
}

// New returns a proxy in front of the Engine at a socket, listening until the
// test ends.
func New(t testing.TB, engine string) *Proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth-proxy-") // not t.TempDir: a socket's path is at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		t:      t,
		socket: filepath.Join(dir, "docker.sock"),
		upstream: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", engine)
		}},
		changed: make(chan struct{}),
		cut:     make(chan struct{}),
	}
	t.Cleanup(func() {
		p.mu.Lock()
		p.refuse()
		p.mu.Unlock()
		p.serving.Wait()
		p.upstream.CloseIdleConnections()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.listen(); err != nil {
		t.Fatal(err)
	}
	return p
}

// Socket is where to connect.
func (p *Proxy) Socket() string { return p.socket }

// Set replaces the faults. Requests that hang go on if they no longer should.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
	close(p.changed)
	p.changed = make(chan struct{})
	switch {
	case f.Refuse:
		p.refuse()
	case p.server == nil:
		if err := p.listen(); err != nil {
			p.t.Errorf("listen again: %v", err)
		}
	}
}

// CutEvents ends the event streams that are open now.
func (p *Proxy) CutEvents() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.cut)
	p.cut = make(chan struct{})
}

// Requests returns every request so far, in the order of arrival.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Count returns how many requests for a path have arrived.
func (p *Proxy) Count(path string) int {
	n := 0
	for _, r := range p.Requests() {
		if r.Path == path {
			n++
		}
	}
	return n
}

// listen starts serving. p.mu is held.
func (p *Proxy) listen() error {
	if err := os.Remove(p.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", p.socket)
	if err != nil {
		return err
	}
	// A socket file that nobody serves is what a dead daemon leaves.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	s := &http.Server{Handler: http.HandlerFunc(p.handle)}
	p.server, p.listener = s, l
	p.serving.Go(func() { _ = s.Serve(l) })
	return nil
}

// refuse stops serving and cuts every connection. p.mu is held.
func (p *Proxy) refuse() {
	if p.server != nil {
		_ = p.listener.Close() // a server that has not begun to serve does not close it
		_ = p.server.Close()
		p.server = nil
	}
}

var version = regexp.MustCompile(`^/v\d+\.\d+/`)

// note records a request and returns what is to happen to it.
func (p *Proxy) note(r *http.Request) (path string, f Faults, changed, cut <-chan struct{}) {
	path = version.ReplaceAllString(r.URL.Path, "/")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, Request{r.Method, path, r.URL.RawQuery})
	return path, p.faults, p.changed, p.cut
}

// now returns the faults and the channel that tells of the next ones.
func (p *Proxy) now() (Faults, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults, p.changed
}
