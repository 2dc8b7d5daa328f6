package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

// Engine is the name of this kind of store.
const Engine = "redis"

// patience bounds what a connection waits for.
const patience = 3 * time.Second

// A Store is a Redis server. It implements [store.Store].
type Store struct {
	client  redis.UniversalClient
	scripts scripts
	life    remote.Life
	view    remote.View
}

// Open reads a URL and the files that it names: redis:// or rediss://, with the
// parameters of [remote.Address] and master. It connects to nobody.
func Open(url string) (*Store, error) {
	options, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("open redis store: %w", err)
	}
	logging.Disable() // it writes to the standard error; what matters are the errors of the calls
	s := &Store{client: redis.NewUniversalClient(options), scripts: newScripts()}
	s.view = remote.View{Source: source{s}, Life: &s.life}
	return s, nil
}

func parse(url string) (*redis.UniversalOptions, error) {
	a, err := remote.ParseAddress(url, Engine)
	if err != nil {
		return nil, err
	}
	o := &redis.UniversalOptions{
		Addrs: a.Hosts, Username: a.User, Password: a.Password, TLSConfig: a.TLS, MasterName: a.Take("master"),
		DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience, ContextTimeoutEnabled: true,
		PoolSize: 4, MaxRetries: 1, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if a.Path != "" {
		if o.DB, err = strconv.Atoi(a.Path); err != nil {
			return nil, errors.New("the path of the store's URL is not the number of a database")
		}
	}
	return o, a.Rest()
}

// Engine implements [store.Store].
func (s *Store) Engine() string { return Engine }

// Open implements [store.Store].
func (s *Store) Open(ctx context.Context, key store.Key, ttl time.Duration) (store.Session, error) {
	session, err := remote.NewSession(ctx, keeper{s}, &s.life, key, ttl)
	if err != nil {
		return nil, err
	}
	return session, nil
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, cluster string) (store.Snapshot, error) {
	return s.view.List(ctx, cluster)
}

// Watch implements [store.Store].
func (s *Store) Watch(ctx context.Context, cluster string, from store.Rev) (<-chan store.Event, error) {
	return s.view.Watch(ctx, cluster, from)
}

// Close implements [store.Store].
func (s *Store) Close() error {
	if !s.life.Close() {
		return nil
	}
	return s.client.Close()
}

// keys are those of a cluster, as the scripts take them.
func keys(cluster string) []string {
	prefix := "berth:v1:{" + cluster + "}:"
	return []string{prefix + "records", prefix + "beats", prefix + "changes", prefix + "life"}
}

// run runs a script. An error of a call that had to end is its context's.
func (s *Store) run(ctx context.Context, script *redis.Script, cluster string, args ...any) (any, error) {
	answer, err := script.Run(ctx, s.client, keys(cluster), args...).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	return answer, nil
}
