package publish

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/collectors/identity"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/reservation"
)

// DefaultTTL is how long a record lives without its agent.
const DefaultTTL = 90 * time.Second

// A Publisher publishes one host's record. Inventory, Store, Identity and Log
// are required.
type Publisher struct {
	Inventory *inventory.Inventory
	Store     store.Store
	// Identity says who this host is. It is asked again for every record, as
	// an address can come late; ID and Cluster count as they are when Run begins.
	Identity func() identity.Host
	Log      *slog.Logger
	// Tasks is what the ECS agent says at the moment, and a channel that is
	// closed once that is out of date; nil: there is no ECS agent.
	Tasks func() (inventory.Tasks, <-chan struct{})
	// Book remembers the sizes of tasks for all who ask; nil: one of its own.
	Book *reservation.Book
	// Withdraw says, at the end of Run, whether the record has to go with it:
	// this host does not come back. Nil: the record stays, for a restart.
	Withdraw  func(context.Context) bool
	JMXMPPort uint16        // inside containers; 0: 5555
	TTL       time.Duration // 0: DefaultTTL
	// Spread is over how long the hosts of a cluster distribute their records
	// when all have to publish at once; 0: not at all, for a store of this host
	// alone.
	Spread time.Duration

	mu      sync.Mutex // guards the fields below
	status  Status
	key     store.Key    // zero before Run
	kept    store.Record // from before this Run, of the same boot; V is 0 without one
	address netip.Addr   // the last one known
	book    reservation.Book
}

// A Status is how publishing is going.
type Status struct {
	Engine    string
	Fault     string    // why the store does not hold the newest record; empty if it does
	Published time.Time // when the store last took a record; zero: not yet
	Mappings  int       // in that record
	Cut       int       // mappings that did not fit into it
	Fenced    bool      // another agent publishes for this host
	Failures  uint64    // calls to the store that failed
}

// Status returns how publishing is going.
func (p *Publisher) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status
	s.Engine = p.Store.Engine()
	return s
}

// Current returns the record that should be in the store now, without
// incarnation and number; false if there is nothing to say yet.
func (p *Publisher) Current() (store.Record, bool) {
	tasks, _ := p.tasks()
	r, ok := p.desired(p.Inventory.Snapshot(), tasks)
	r.Incarnation, r.Seq = "", 0
	return r, ok
}

// Run publishes until ctx ends. It leaves the record in the store,
// unless Withdraw says otherwise.
func (p *Publisher) Run(ctx context.Context) error {
	l := &loop{Publisher: p, pace: paceOf(cmp.Or(p.TTL, DefaultTTL)), patience: time.Now().Add(patience)}
	if !sleep(ctx, upTo(p.Spread/5)) || !l.open(ctx) {
		return nil
	}
	defer l.end(ctx)
	for {
		snapshot, changed := p.Inventory.Watch()
		tasks, told := p.tasks()
		var retry time.Duration
		if r, ok := p.desired(snapshot, tasks); ok && l.ready(snapshot, tasks) && l.due(r) {
			retry = l.publish(ctx, r)
		}
		if !l.wait(ctx, changed, told, retry) {
			return nil
		}
	}
}

// tasks is what the ECS agent says, if there is one.
func (p *Publisher) tasks() (inventory.Tasks, <-chan struct{}) {
	if p.Tasks == nil {
		return inventory.Tasks{}, nil
	}
	return p.Tasks()
}

// note changes the status and reports whether the fault is another one now.
func (p *Publisher) note(change func(*Status)) (news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.status.Fault
	change(&p.status)
	return p.status.Fault != before
}
