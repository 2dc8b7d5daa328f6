package tcpproxy

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Faults are the ways in which the network fails for now. The zero value is
// health.
type Faults struct {
	Refuse bool          // connections are refused, those that exist are cut
	Hang   bool          // connections stand, new ones are accepted, and nothing passes
	Delay  time.Duration // each piece of data waits for so long, in both directions
}

// A Proxy listens on an address of its own until the test ends. Its methods may
// be called at any time and from any goroutine.
type Proxy struct {
	t      testing.TB
	addr   string
	target string

	mu       sync.Mutex // guards the fields below
	faults   Faults
	changed  chan struct{} // closed when faults change
	closed   bool
	listener net.Listener // nil while refusing
	open     map[net.Conn]bool
	work     sync.WaitGroup
}

// New returns a proxy in front of a server at host:port.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{t: t, addr: Reserve(t), target: target, changed: make(chan struct{}), open: map[net.Conn]bool{}}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listen()
	if p.listener == nil {
		t.Fatal("tcpproxy: no address to listen on")
	}
	t.Cleanup(p.close)
	return p
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.addr }

// Set changes the faults, for connections that exist too.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
	close(p.changed)
	p.changed = make(chan struct{})
	switch {
	case f.Refuse:
		p.cut()
	case p.listener == nil && !p.closed:
		p.listen()
	}
}

// Drop cuts the connections that exist; new ones are welcome.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
}

// listen accepts connections. mu is held.
func (p *Proxy) listen() {
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.t.Errorf("tcpproxy: %v", err)
		return
	}
	p.listener = l
	p.work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.work.Go(func() { p.forward(conn) })
		}
	})
}

// cut ends all connections and refuses others. mu is held.
func (p *Proxy) cut() {
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for conn := range p.open {
		_ = conn.Close()
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.cut()
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	p.work.Wait()
}

// keep remembers a connection, to be cut; false if it is to end at once.
func (p *Proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.faults.Refuse {
		return false
	}
	p.open[conn] = true
	return true
}

// end closes a connection.
func (p *Proxy) end(conn net.Conn) {
	_ = conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

// forward joins a client with the server until either has enough.
func (p *Proxy) forward(client net.Conn) {
	defer p.end(client)
	if !p.keep(client) || !p.pass(client) {
		return
	}
	server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		return
	}
	defer p.end(server)
	if !p.keep(server) {
		return
	}
	back := make(chan struct{})
	go func() {
		defer close(back)
		p.copy(client, server)
	}()
	p.copy(server, client)
	<-back
}

// copy passes on what comes from one side and then ends both.
func (p *Proxy) copy(to, from net.Conn) {
	defer func() { _ = to.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !p.pass(from) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits as the faults say; false once the connection has been cut.
func (p *Proxy) pass(conn net.Conn) bool {
	for {
		p.mu.Lock()
		f, changed, stands := p.faults, p.changed, p.open[conn] && !p.closed && !p.faults.Refuse
		p.mu.Unlock()
		switch {
		case !stands:
			return false
		case f.Hang:
			<-changed
		case f.Delay > 0:
			select {
			case <-changed:
			case <-time.After(f.Delay):
				return true
			}
		default:
			return true
		}
	}
}
