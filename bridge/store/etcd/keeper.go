package etcd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

// The lower bits of a lease's ID are its TTL.
const (
	ttlBits    = 16
	longestTTL = (1<<ttlBits - 1) * time.Second
)

// seconds is a TTL as etcd counts it.
func seconds(ttl time.Duration) int64 { return int64((ttl + time.Second - 1) / time.Second) }

// ttlOf is the TTL of a lease that we made; 0 without a lease.
func ttlOf(lease clientv3.LeaseID) time.Duration {
	return time.Duration(lease&(1<<ttlBits-1)) * time.Second
}

// A keeper is a store as its sessions see it. It implements [remote.Keeper].
type keeper struct{ *Store }

// A hold is where a record is in etcd.
type hold struct {
	rev   int64 // of its last change
	lease clientv3.LeaseID
	blind *atomic.Int32 // renewals since it was there for certain
}

// looking is with which renewal the key is looked for: within a TTL, as three of
// them fit into one.
const looking = 3

// Read implements [remote.Keeper].
func (k keeper) Read(ctx context.Context, key store.Key) (*remote.Held, error) {
	client, err := k.connect()
	if err != nil {
		return nil, err
	}
	answer, err := client.Get(ctx, k.prefix+key.String())
	if err != nil || len(answer.Kvs) == 0 {
		return nil, err
	}
	kv := answer.Kvs[0]
	r, err := store.Decode(kv.Value)
	if err != nil {
		return nil, err
	}
	return &remote.Held{Record: r, Hold: hold{rev: kv.ModRevision, lease: clientv3.LeaseID(kv.Lease), blind: new(atomic.Int32)}}, nil
}

// Write implements [remote.Keeper].
func (k keeper) Write(ctx context.Context, r store.Record, ttl time.Duration, over *remote.Held) (*remote.Held, error) {
	client, err := k.connect()
	if err != nil {
		return nil, err
	}
	var old hold
	if over != nil {
		old = over.Hold.(hold)
	}
	if over != nil && over.Record.Incarnation == r.Incarnation && ttlOf(old.lease) == time.Duration(seconds(ttl))*time.Second {
		held, err := k.put(ctx, client, r, old, old.lease)
		if !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return held, err
		}
	}
	lease, err := grant(ctx, client, ttl)
	if err != nil {
		return nil, err
	}
	held, err := k.put(ctx, client, r, old, lease)
	if err != nil {
		old.lease = lease // it was for nothing
	}
	if old.lease != 0 {
		_, _ = client.Revoke(ctx, old.lease) // else it ends by itself
	}
	return held, err
}

// put writes a record if the key was last changed at old's revision.
func (k keeper) put(ctx context.Context, client *clientv3.Client, r store.Record, old hold, lease clientv3.LeaseID) (*remote.Held, error) {
	text, err := store.Encode(r)
	if err != nil {
		return nil, err
	}
	key := k.prefix + r.Key().String()
	then := []clientv3.Op{clientv3.OpPut(key, string(text), clientv3.WithLease(lease))}
	if old.rev == 0 {
		then = append(then, k.beginEpoch(r.Cluster))
	}
	answer, err := client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", old.rev)).Then(then...).Commit()
	if err != nil {
		return nil, err
	}
	if !answer.Succeeded {
		return nil, remote.ErrRaced
	}
	return &remote.Held{Record: r, Hold: hold{rev: answer.Header.Revision, lease: lease, blind: new(atomic.Int32)}}, nil
}

// grant makes a lease.
func grant(ctx context.Context, client *clientv3.Client, ttl time.Duration) (clientv3.LeaseID, error) {
	request := &etcdserverpb.LeaseGrantRequest{TTL: seconds(ttl), ID: rand.Int64N(1<<(62-ttlBits))<<ttlBits | seconds(ttl)}
	answer, err := etcdserverpb.NewLeaseClient(client.ActiveConnection()).LeaseGrant(ctx, request)
	if err != nil {
		return 0, fmt.Errorf("grant lease: %w", clientv3.ContextError(ctx, rpctypes.Error(err)))
	}
	return clientv3.LeaseID(answer.ID), nil
}

// Renew implements [remote.Keeper]. A lease can outlive a key that somebody has
// deleted by hand, so that is asked too, with every third renewal: by a
// transaction without operations, which any member answers from what it has.
// The first renewals after an outage do not ask; they are many.
func (k keeper) Renew(ctx context.Context, h *remote.Held, ttl time.Duration) error {
	client, err := k.connect()
	if err != nil {
		return err
	}
	at := h.Hold.(hold)
	if ttlOf(at.lease) != time.Duration(seconds(ttl))*time.Second {
		return remote.ErrGone // it has another TTL, or none
	}
	if err := keepAlive(ctx, client, at.lease); err != nil {
		at.blind.Store(0)
		return err
	}
	if at.blind.Add(1) < looking {
		return nil
	}
	answer, err := client.Txn(ctx).If(clientv3.Compare(clientv3.LeaseValue(k.prefix+h.Record.Key().String()), "=", at.lease)).Commit()
	switch {
	case err != nil:
		return err
	case !answer.Succeeded:
		return remote.ErrGone
	}
	at.blind.Store(0)
	return nil
}

// keepAlive renews a lease once. The client's own way to do so asks a server
// that is away again and again without a pause.
func keepAlive(ctx context.Context, client *clientv3.Client, lease clientv3.LeaseID) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := etcdserverpb.NewLeaseClient(client.ActiveConnection()).LeaseKeepAlive(ctx)
	if err == nil {
		err = stream.Send(&etcdserverpb.LeaseKeepAliveRequest{ID: int64(lease)})
	}
	if err != nil {
		return fmt.Errorf("renew lease: %w", clientv3.ContextError(ctx, rpctypes.Error(err)))
	}
	answer, err := stream.Recv()
	switch {
	case errors.Is(rpctypes.Error(err), rpctypes.ErrLeaseNotFound), err == nil && answer.TTL <= 0:
		return remote.ErrGone
	case err != nil:
		return fmt.Errorf("renew lease: %w", clientv3.ContextError(ctx, rpctypes.Error(err)))
	}
	return nil
}

// Remove implements [remote.Keeper]. The key under w/ tells watchers why the
// record goes in the same revision; it goes with the lease.
func (k keeper) Remove(ctx context.Context, h *remote.Held) error {
	client, err := k.connect()
	if err != nil {
		return err
	}
	key, at := h.Record.Key(), h.Hold.(hold)
	answer, err := client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(k.prefix+key.String()), "=", at.rev)).
		Then(
			clientv3.OpDelete(k.prefix+key.String()),
			clientv3.OpPut(k.prefix+withdrawnPrefix(key.Cluster)+key.Host, strconv.FormatInt(at.rev, 10), clientv3.WithLease(at.lease)),
		).Commit()
	if err != nil {
		return err
	}
	if !answer.Succeeded {
		return remote.ErrRaced
	}
	if at.lease != 0 {
		_, _ = client.Revoke(ctx, at.lease) // else it ends by itself
	}
	return nil
}

// beginEpoch names the history of a cluster that has no name yet. It goes along
// with a record that is new: when a whole fleet returns to a server that has
// lost its data, each call counts ten thousand times.
func (k keeper) beginEpoch(cluster string) clientv3.Op {
	key := k.prefix + clusterPrefix(cluster) + epochKey
	return clientv3.OpTxn(
		[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0)},
		[]clientv3.Op{clientv3.OpPut(key, store.NewIncarnation(time.Now(), ""))}, nil)
}

// Keys beside the records.
const epochKey = "epoch"

// clusterPrefix begins all keys of a cluster.
func clusterPrefix(cluster string) string {
	return strings.TrimSuffix(store.ClusterPrefix(cluster), "h/")
}

func withdrawnPrefix(cluster string) string { return clusterPrefix(cluster) + "w/" }

// entry reads a record; false if it is not understood.
func (s *Store) entry(kv *mvccpb.KeyValue) (store.Entry, bool) {
	if kv == nil {
		return store.Entry{}, false
	}
	r, err := store.Decode(kv.Value)
	if err != nil || s.prefix+r.Key().String() != string(kv.Key) {
		return store.Entry{}, false
	}
	e := store.Entry{Key: r.Key(), Rev: store.Rev(kv.ModRevision), Record: r}
	if ttl := ttlOf(clientv3.LeaseID(kv.Lease)); ttl > 0 {
		e.Expires = time.Now().Add(ttl)
	}
	return e, true
}
