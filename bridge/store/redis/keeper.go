package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

// A keeper is a store as its sessions see it. It implements [remote.Keeper].
type keeper struct{ *Store }

// version names a record among those of its host.
func version(r store.Record) string { return r.Incarnation + " " + strconv.FormatUint(r.Seq, 10) }

// Read implements [remote.Keeper].
func (k keeper) Read(ctx context.Context, key store.Key) (*remote.Held, error) {
	answer, err := k.run(ctx, k.scripts.read, key.Cluster, key.Host)
	text, ok := answer.(string)
	if err != nil || !ok {
		return nil, err
	}
	r, err := store.Decode([]byte(text))
	if err != nil {
		return nil, err
	}
	return &remote.Held{Record: r}, nil
}

// Write implements [remote.Keeper].
func (k keeper) Write(ctx context.Context, r store.Record, ttl time.Duration, over *remote.Held) (*remote.Held, error) {
	text, err := store.Encode(r)
	if err != nil {
		return nil, err
	}
	is := ""
	if over != nil {
		is = version(over.Record)
	}
	err = k.step(ctx, k.scripts.write, remote.ErrRaced, r.Cluster, r.Host, r.Incarnation, strconv.FormatUint(r.Seq, 10), ttl.Milliseconds(), text, is)
	return &remote.Held{Record: r}, err
}

// Renew implements [remote.Keeper].
func (k keeper) Renew(ctx context.Context, h *remote.Held, ttl time.Duration) error {
	return k.step(ctx, k.scripts.renew, remote.ErrGone, h.Record.Cluster, h.Record.Host, h.Record.Incarnation, ttl.Milliseconds())
}

// Remove implements [remote.Keeper].
func (k keeper) Remove(ctx context.Context, h *remote.Held) error {
	return k.step(ctx, k.scripts.remove, remote.ErrRaced, h.Record.Cluster, h.Record.Host, version(h.Record))
}

// step runs a script that answers whether its condition held.
func (k keeper) step(ctx context.Context, script *redis.Script, otherwise error, cluster string, args ...any) error {
	answer, err := k.run(ctx, script, cluster, args...)
	if err == nil && answer != int64(1) {
		err = otherwise
	}
	return err
}
