package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

// verifying is how often a watcher asks whether etcd still has the history that
// it follows.
const verifying = 5 * time.Second

// A watch follows one cluster.
type watch struct {
	*Store
	cluster string
	prefix  string // of the cluster's keys
	inbox   *remote.Inbox
	rev     int64  // up to which everything has been seen; 0: nothing
	epoch   string // name of the history; empty: it had none
}

// Watch implements [store.Store].
func (s *Store) Watch(ctx context.Context, cluster string, from store.Rev) (<-chan store.Event, error) {
	ctx, end, err := s.life.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("watch cluster %s: %w", cluster, err)
	}
	w := &watch{Store: s, cluster: cluster, prefix: s.prefix + clusterPrefix(cluster), inbox: remote.NewInbox(), rev: int64(from)}
	events, fed := make(chan store.Event), make(chan struct{})
	go func() {
		defer close(fed)
		w.run(ctx)
	}()
	go func() {
		defer end()
		defer close(events)
		w.inbox.Deliver(ctx, events)
		<-fed
	}()
	return events, nil
}

// run follows etcd until ctx ends.
func (w *watch) run(ctx context.Context) {
	pace, _ := remote.PaceOf(time.Minute)
	for failures := 0; ctx.Err() == nil; {
		began := time.Now()
		err := w.follow(ctx)
		if failures++; err == nil || time.Since(began) > time.Minute {
			failures = 1
		}
		if !remote.Sleep(ctx, pace.Backoff(failures)) {
			return
		}
	}
}

// follow hands on what etcd tells until it can no longer. It returns nil if it
// has to begin anew with everything.
func (w *watch) follow(ctx context.Context) error {
	client, err := w.connect()
	if err != nil {
		return err
	}
	if err := w.begin(ctx, client); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	told := client.Watch(clientv3.WithRequireLeader(ctx), w.prefix, clientv3.WithPrefix(), clientv3.WithPrevKV(), clientv3.WithRev(w.rev+1))
	verify := time.NewTicker(verifying)
	defer verify.Stop()
	for {
		select {
		case answer, open := <-told:
			if errors.Is(answer.Err(), rpctypes.ErrCompacted) {
				w.rev = 0
				return nil
			}
			if !open || answer.Err() != nil {
				return errors.Join(answer.Err(), errors.New("the watch has ended"))
			}
			w.apply(answer)
		case <-verify.C:
			if same, err := w.same(ctx, client); err == nil && !same {
				w.rev = 0
				return nil
			}
		}
	}
}

// begin sees to it that what comes after w.rev is all that the reader lacks.
func (w *watch) begin(ctx context.Context, client *clientv3.Client) error {
	if w.rev != 0 {
		same, err := w.same(ctx, client)
		if err != nil {
			return err
		}
		if same {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, listing)
	defer cancel()
	answer, err := client.Get(ctx, w.prefix+epochKey)
	if err != nil {
		return err
	}
	w.epoch = ""
	for _, kv := range answer.Kvs {
		w.epoch = string(kv.Value)
	}
	shot, err := w.list(ctx, w.cluster)
	if err != nil {
		return err
	}
	w.rev = int64(shot.Rev)
	w.inbox.Add(store.Event{Kind: store.Resync, Rev: shot.Rev, Snapshot: shot})
	return nil
}

// same reports whether etcd has reached w.rev, and is in the history that w
// follows. A history that had no name can be given one.
func (w *watch) same(ctx context.Context, client *clientv3.Client) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, verifying)
	defer cancel()
	answer, err := client.Get(ctx, w.prefix+epochKey)
	if err != nil {
		return false, err
	}
	epoch := ""
	for _, kv := range answer.Kvs {
		epoch = string(kv.Value)
	}
	if answer.Header.Revision < w.rev || w.epoch != "" && w.epoch != epoch {
		return false, nil
	}
	w.epoch = epoch
	return true, nil
}

// apply turns what etcd tells into events.
func (w *watch) apply(answer clientv3.WatchResponse) {
	withdrawn := map[string]int64{} // host: when
	for _, e := range answer.Events {
		if host, yes := strings.CutPrefix(string(e.Kv.Key), w.prefix+"w/"); yes && e.IsCreate() || yes && e.IsModify() {
			withdrawn[host] = e.Kv.ModRevision
		}
	}
	for _, e := range answer.Events {
		w.rev = e.Kv.ModRevision
		host, yes := strings.CutPrefix(string(e.Kv.Key), w.prefix+"h/")
		if !yes {
			continue
		}
		cause := store.Expired
		if at, ok := withdrawn[host]; ok && at == e.Kv.ModRevision {
			cause = store.Withdrawn
		}
		w.tell(e, store.Key{Cluster: w.cluster, Host: host}, cause)
	}
	if answer.IsProgressNotify() {
		w.rev = answer.Header.Revision
	}
}

// tell hands one change on. A record that was only put under another lease is
// no change; one that we do not understand has gone, as far as we can say.
func (w *watch) tell(e *clientv3.Event, key store.Key, cause store.Cause) {
	rev := store.Rev(e.Kv.ModRevision)
	was, known := w.entry(e.PrevKv)
	if e.Type == clientv3.EventTypePut {
		now, ok := w.entry(e.Kv)
		switch {
		case ok && known && now.Record.Same(was.Record):
			return
		case ok:
			w.inbox.Add(store.Event{Kind: store.Put, Rev: rev, Entry: now})
			return
		}
		cause = store.Withdrawn
	}
	if !known {
		was = store.Entry{Key: key}
	}
	w.inbox.Add(store.Event{Kind: store.Gone, Rev: rev, Entry: was, Cause: cause})
}
