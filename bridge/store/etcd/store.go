package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

// Engine is the name of this kind of store.
const Engine = "etcd"

// How the connection behaves. A connection that is half open is given up within
// pingAfter and pingWait; the pauses between two tries stay far below a TTL.
const (
	pingAfter  = 10 * time.Second
	pingWait   = 3 * time.Second
	connecting = 3 * time.Second
	mostDelay  = 3 * time.Second
	listing    = 30 * time.Second // deadline of a listing for a watcher
	tries      = 3                // of a call that another member may answer
)

// A Store is an etcd cluster. It implements [store.Store].
type Store struct {
	address remote.Address
	prefix  string // of all keys
	life    remote.Life

	mu     sync.Mutex // guards the field below
	client *clientv3.Client
}

// Open reads a URL and the files that it names: etcd:// or etcds://, with the
// parameters of [remote.Address].
func Open(url string) (*Store, error) {
	a, err := remote.ParseAddress(url, Engine)
	if err == nil {
		err = a.Rest()
	}
	if err == nil && a.User != "" && a.Password == "" {
		err = errors.New("a user needs a password: set passwordfile")
	}
	if err != nil {
		return nil, fmt.Errorf("open etcd store: %w", err)
	}
	s := &Store{address: a}
	if a.Path != "" {
		s.prefix = a.Path + "/"
	}
	return s, nil
}

// Engine implements [store.Store].
func (s *Store) Engine() string { return Engine }

// Open implements [store.Store].
func (s *Store) Open(ctx context.Context, key store.Key, ttl time.Duration) (store.Session, error) {
	if ttl > longestTTL {
		return nil, fmt.Errorf("open session: a TTL of %s is longer than %s", ttl, longestTTL)
	}
	session, err := remote.NewSession(ctx, keeper{s}, &s.life, key, ttl)
	if err != nil {
		return nil, err
	}
	return session, nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	if !s.life.Close() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		return nil
	}
	if err := s.client.Close(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// connect returns the client, which is made with the first call: with a
// password that is a call itself.
func (s *Store) connect() (*clientv3.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.life.Err(); err != nil || s.client != nil {
		return s.client, err
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: s.endpoints(), TLS: s.address.TLS, Username: s.address.User, Password: s.address.Password,
		DialTimeout: connecting, DialKeepAliveTime: pingAfter, DialKeepAliveTimeout: pingWait,
		Logger:          zap.NewNop(), // what matters are the errors of the calls
		MaxUnaryRetries: tries,
		DialOptions: []grpc.DialOption{
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.5, MaxDelay: mostDelay},
				MinConnectTimeout: connecting,
			}),
			grpc.WithChainUnaryInterceptor(atOnce),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("connect to etcd: %w", err)
	}
	s.client = client
	return client, nil
}

// atOnce has a call fail while no member can be reached. The client's calls wait
// for a connection, each host's until its deadline, and when the servers return
// a quarter of all hosts would be waiting to go first.
func atOnce(ctx context.Context, method string, in, out any, to *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
	return call(ctx, method, in, out, to, append(options, grpc.WaitForReady(false))...)
}

func (s *Store) endpoints() []string {
	scheme := "http://"
	if s.address.TLS != nil {
		scheme = "https://"
	}
	endpoints := make([]string, len(s.address.Hosts))
	for i, host := range s.address.Hosts {
		endpoints[i] = scheme + host
	}
	return endpoints
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, cluster string) (store.Snapshot, error) {
	err := cmp.Or(s.life.Err(), ctx.Err())
	var shot store.Snapshot
	if err == nil {
		shot, err = s.list(ctx, cluster)
	}
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("list records of cluster %s: %w", cluster, err)
	}
	return shot, nil
}

// list reads the records of a cluster. etcd returns them sorted by key.
func (s *Store) list(ctx context.Context, cluster string) (store.Snapshot, error) {
	client, err := s.connect()
	if err != nil {
		return store.Snapshot{}, err
	}
	answer, err := client.Get(ctx, s.prefix+store.ClusterPrefix(cluster), clientv3.WithPrefix())
	if err != nil {
		return store.Snapshot{}, err
	}
	shot := store.Snapshot{Rev: store.Rev(answer.Header.Revision)}
	for _, kv := range answer.Kvs {
		if e, ok := s.entry(kv); ok {
			shot.Entries = append(shot.Entries, e)
		} else {
			shot.Skipped++
		}
	}
	return shot, nil
}
