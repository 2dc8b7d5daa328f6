package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/test/tcpproxy"
)

// A Remote is an engine on a server that tests can ill-treat. Its Open opens a
// store of one and the same place, through Network.
type Remote struct {
	Engine
	Network *tcpproxy.Proxy
	Near    func(*testing.T) store.Store // the same store, past Network
	Kill    func()                       // at once, as the kernel does
	Start   func()                       // with the data that have reached the disk
	Empty   func()                       // killed and started without data; nil: its data cannot be lost
	// Jump sets the server's clock by so much; nil: it does not matter, or it
	// is not the test's to set.
	Jump func(by time.Duration)
}

// RunRemote runs the tests about a server and a network that fail, side by side,
// each on an engine of its own.
func RunRemote(t *testing.T, start func(*testing.T) Remote) {
	for name, test := range faults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			if r.Late == 0 {
				r.Late = time.Second
			}
			test(&outage{bench: &bench{T: t, engine: r.Engine, place: t.TempDir()}, remote: r})
		})
	}
}

// faults by what they say of a store.
func faults() map[string]func(*outage) {
	return map[string]func(*outage){
		"a network that is cut goes unnoticed":             func(o *outage) { o.passes(tcpproxy.Faults{Refuse: true}) },
		"a connection that is half open goes unnoticed":    func(o *outage) { o.passes(tcpproxy.Faults{Hang: true}) },
		"a network that is slow goes unnoticed":            func(o *outage) { o.passes(tcpproxy.Faults{Delay: 20 * time.Millisecond}) },
		"a connection that is dead is given up":            dead,
		"an outage longer than the TTL goes unnoticed":     outlasted,
		"a server that has lost its data is given them":    emptied,
		"an agent that is cut off expires and returns":     cutOff,
		"a server whose clock is set ends no record":       jumped,
		"a store can be opened while its server is away":   away,
		"a call to a server that is away ends in its time": bounded,
	}
}

// An outage is a test's server and its tools: an agent that publishes h1, and a
// reader, both through the network.
type outage struct {
	*bench
	remote  Remote
	store   store.Store
	session store.Session
	events  <-chan store.Event
	seq     uint64
}

// begin has h1 published and read.
func (o *outage) begin() {
	o.Helper()
	o.store = o.open()
	o.session = o.bench.session(o.store, "h1")
	o.news()
	o.events = o.watch(o.store, 0)
	o.next(o.events, store.Resync)
}

// news publishes a change, as a publisher does: again and again.
func (o *outage) news() {
	o.Helper()
	o.seq++
	o.again()
}

// again publishes what is published.
func (o *outage) again() {
	o.Helper()
	deadline := time.Now().Add(o.patient())
	for {
		ctx, cancel := context.WithTimeout(o.Context(), o.engine.TTL/8)
		err := o.session.Publish(ctx, record("h1", "A", o.seq, uint16(o.seq)))
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			o.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// arrives waits until the reader has the newest record.
func (o *outage) arrives() {
	o.Helper()
	view := map[string]store.Record{}
	o.until(o.events, view, func() bool { return view["h1"].Seq == o.seq })
}

// passes: faults that end within a TTL are seen by nobody.
func (o *outage) passes(f tcpproxy.Faults) {
	o.begin()
	o.remote.Network.Set(f)
	o.quiet(o.events, o.engine.TTL/2)
	o.remote.Network.Set(tcpproxy.Faults{})
	o.still(2 * o.engine.TTL)
	o.news()
	o.arrives()
}

// still checks that nothing is told but, perhaps, the same once more.
func (o *outage) still(during time.Duration) {
	o.Helper()
	timeout := time.After(during)
	for {
		select {
		case e := <-o.events:
			if e.Kind != store.Resync || len(e.Snapshot.Entries) != 1 || e.Snapshot.Entries[0].Record.Seq != o.seq {
				o.Fatalf("got event %+v, want none", e)
			}
		case <-timeout:
			o.isLost(o.session, false)
			return
		}
	}
}

// dead: what hangs is closed from our side; the server does not do it for us.
func dead(o *outage) {
	o.begin()
	o.remote.Network.Set(tcpproxy.Faults{Hang: true})
	o.quiet(o.events, o.engine.TTL/4)
	o.remote.Network.Set(tcpproxy.Faults{Refuse: true}) // the old connections do not come back
	o.remote.Network.Set(tcpproxy.Faults{})
	o.news()
	o.arrives()
}

// P2: while nobody can renew, nobody expires.
func outlasted(o *outage) {
	o.begin()
	o.remote.Kill()
	o.quiet(o.events, o.engine.TTL*3/2)
	o.remote.Start()
	o.still(2 * o.engine.TTL)
	if shot := o.list(o.store); len(shot.Entries) != 1 {
		o.Errorf("got %+v, want h1", shot.Entries)
	}
	o.news()
	o.arrives()
}

// emptied: the owner is told, and what it publishes again arrives.
func emptied(o *outage) {
	if o.remote.Empty == nil {
		return // nobody can empty this server
	}
	o.begin()
	for range 5 {
		o.news() // a history longer than the next one
	}
	o.arrives()
	o.remote.Empty()
	o.isLost(o.session, true)
	o.again()
	o.isLost(o.session, false)
	o.news()
	o.arrives()
	o.still(2 * o.engine.TTL)
}

// P1 for an agent behind a network that is cut; it returns without help.
func cutOff(o *outage) {
	o.begin()
	near := o.watch(o.near(), 0)
	o.next(near, store.Resync)
	o.remote.Network.Set(tcpproxy.Faults{Refuse: true})
	if e := o.next(near, store.Gone); e.Cause != store.Expired {
		o.Errorf("got %+v, want h1 expired", e)
	}
	o.remote.Network.Set(tcpproxy.Faults{})
	select {
	case <-o.session.Lost():
		o.again() // as the publisher does
		o.next(near, store.Put)
	case e := <-near:
		if e.Kind != store.Put {
			o.Errorf("got %+v, want h1 back by its renewal", e)
		}
	case <-time.After(o.patient()):
		o.Fatal("the agent has not returned")
	}
	o.news()
	o.arrives()
}

// near is a store that does not go through the network that fails.
func (o *outage) near() store.Store {
	o.Helper()
	s := o.remote.Near(o.T)
	o.Cleanup(func() { o.must(s.Close()) })
	return s
}

// jumped: P2 for who watches, whatever the server's clock does.
func jumped(o *outage) {
	if o.remote.Jump == nil {
		return
	}
	o.begin()
	left := o.bench.session(o.store, "h2")
	o.publish(left, record("h2", "A", 1, 2))
	o.next(o.events, store.Put)
	o.remote.Jump(5 * time.Minute)
	o.quiet(o.events, 2*o.engine.TTL)
	o.remote.Jump(-10 * time.Minute)
	o.quiet(o.events, 2*o.engine.TTL)
	o.must(left.Close())
	began := time.Now()
	e := o.next(o.events, store.Gone)
	if took := time.Since(began); e.Entry.Key.Host != "h2" || took > o.engine.TTL+o.engine.Late {
		o.Errorf("%s went after %s, want h2 after %s", e.Entry.Key.Host, took, o.engine.TTL)
	}
}

// away: an agent that starts before its server.
func away(o *outage) {
	o.remote.Kill()
	o.store = o.open()
	ctx, cancel := context.WithTimeout(o.Context(), o.engine.TTL/8)
	defer cancel()
	if _, err := o.store.List(ctx, cluster); err == nil {
		o.Error("a server that is away has listed records")
	}
	o.events = o.watch(o.store, 0)
	o.remote.Start()
	o.opens()
	o.news()
	o.arrives()
}

// opens opens the session of h1, as a publisher does: again and again.
func (o *outage) opens() {
	o.Helper()
	for deadline := time.Now().Add(o.patient()); ; <-time.After(50 * time.Millisecond) {
		session, err := o.store.Open(o.Context(), store.Key{Cluster: cluster, Host: "h1"}, o.engine.TTL)
		if err == nil {
			o.session = session
			o.Cleanup(func() { o.must(session.Close()) })
			return
		}
		if time.Now().After(deadline) {
			o.Fatal(err)
		}
	}
}

// I5: no call waits longer than it may.
func bounded(o *outage) {
	o.begin()
	for _, f := range []tcpproxy.Faults{{Hang: true}, {Refuse: true}} {
		o.remote.Network.Set(f)
		ctx, cancel := context.WithTimeout(o.Context(), time.Second)
		began := time.Now()
		err := o.session.Publish(ctx, record("h1", "A", o.seq+1, 9))
		took := time.Since(began)
		cancel()
		if err == nil || took > 4*time.Second {
			o.Errorf("%+v: got %v after %s, want an error after a second", f, err, took)
		}
	}
	o.remote.Network.Set(tcpproxy.Faults{})
	o.seq++
	o.news()
	o.arrives()
}
