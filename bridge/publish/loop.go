package publish

import (
	"context"
	"errors"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/collectors/inventory"
)

// A loop is what one Run knows.
type loop struct {
	*Publisher
	pace
	session     store.Session
	incarnation string
	seq         uint64
	hash        string    // of what was published last, whether or not it arrived
	held        bool      // the store has it, and for this session
	last        time.Time // when it was published
	failures    int       // in a row
	patience    time.Time // until when the first record waits for the ECS agent
}

// open begins the session and takes up the record that is there. It returns
// false once ctx has ended.
func (l *loop) open(ctx context.Context) bool {
	host := l.Identity()
	key := store.Key{Cluster: host.Cluster, Host: host.ID}
	for {
		call, cancel := context.WithTimeout(ctx, l.timeout)
		session, err := l.Store.Open(call, key, l.ttl)
		cancel()
		if err == nil {
			l.session = session
			l.adopt(key, host.Boot)
			return true
		}
		if !sleep(ctx, l.failed(ctx, err)) {
			return false
		}
	}
}

// adopt goes on with the record that the session found, if it is of this boot;
// else it begins an incarnation that beats it.
func (l *loop) adopt(key store.Key, boot string) {
	found, _ := l.session.Found()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.key = key
	if boot == "" || found.Boot != boot {
		l.incarnation = store.NewIncarnation(time.Now(), found.Incarnation)
		return
	}
	l.incarnation, l.seq, l.hash = found.Incarnation, found.Seq, found.Hash()
	l.kept, l.address = found, found.IP
}

// ready reports whether a picture is worth a record. After a restart Docker
// answers before each task's size is known again; what is said in between would
// be a change that nobody made. P2: the record of before is held meanwhile.
func (l *loop) ready(now inventory.Snapshot, tasks inventory.Tasks) bool {
	if !now.Synced {
		return true // that is the record of before
	}
	if l.Tasks == nil || tasks.Settled {
		l.patience = time.Time{}
	}
	return time.Now().After(l.patience)
}

// due reports whether the store has to hear of a record.
func (l *loop) due(r store.Record) bool { return !l.held || r.Hash() != l.hash }

// publish gives a record to the store. It returns when to try again; 0 if that
// is not needed.
func (l *loop) publish(ctx context.Context, r store.Record) (retry time.Duration) {
	if hash := r.Hash(); hash != l.hash {
		l.seq, l.hash = l.seq+1, hash
	}
	r.Incarnation, r.Seq = l.incarnation, l.seq
	call, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	err := l.session.Publish(call, r)
	l.held, l.last = err == nil, time.Now()
	if err != nil {
		return l.failed(ctx, err)
	}
	l.failures = 0
	published := func(s *Status) {
		s.Fault, s.Fenced, s.Published, s.Mappings, s.Cut = "", false, time.Now(), len(r.Mappings), r.Cut
	}
	if l.note(published) {
		l.Log.Info("host record published again", "host", r.Host)
	}
	l.Log.Debug("publish host record", "host", r.Host, "seq", r.Seq, "mappings", len(r.Mappings), "state", r.State)
	return 0
}

// failed records a failure and returns how long to wait.
func (l *loop) failed(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	l.failures++
	wait := l.backoff(l.failures)
	fenced := errors.Is(err, store.ErrFenced)
	if fenced {
		wait = l.ttl
	}
	if l.note(func(s *Status) { s.Fault, s.Fenced, s.Failures = err.Error(), fenced, s.Failures+1 }) {
		l.Log.Warn("publish host record", "err", err, "retry", wait)
	}
	return wait
}

// wait returns when the record has to be looked at again, and false once ctx
// has ended. While the store is away that is not before its retry, whatever
// changes.
func (l *loop) wait(ctx context.Context, changed, told <-chan struct{}, retry time.Duration) bool {
	if retry > 0 {
		return sleep(ctx, retry)
	}
	var lost <-chan struct{}
	if l.held {
		lost = l.session.Lost()
	}
	var look <-chan time.Time
	if again := l.again(); again > 0 {
		timer := time.NewTimer(again)
		defer timer.Stop()
		look = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-changed:
		return sleep(ctx, max(debounce, time.Until(l.last.Add(between))))
	case <-told:
		return sleep(ctx, max(debounce, time.Until(l.last.Add(between))))
	case <-lost:
		l.held = false
		return sleep(ctx, upTo(l.Spread))
	case <-look:
		return true
	}
}

// again is when to look without a change: for an address that is not known, or
// because the ECS agent takes too long. 0: never.
func (l *loop) again() time.Duration {
	switch left := time.Until(l.patience); {
	case left > 0:
		return left + time.Millisecond
	case !l.reachable():
		return lookAgain
	}
	return 0
}

// end closes the session, which leaves the record for one TTL, or withdraws the
// record if this host does not come back. ctx has ended.
func (l *loop) end(ctx context.Context) {
	defer l.session.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	defer cancel()
	if l.Withdraw == nil || !l.Withdraw(ctx) {
		return
	}
	if err := l.session.Withdraw(ctx); err != nil {
		l.Log.Warn("withdraw host record", "err", err)
		return
	}
	l.Log.Info("host record withdrawn", "host", l.key.Host)
}
