package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/berth-dev/berth/agent"
	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/store"
)

// A source is where records are read.
type source interface {
	Records(ctx context.Context) ([]api.StoreRecord, error)
	WatchRecords(ctx context.Context, since uint64, each func(api.RecordEvent) error) error
}

// A reading says which source: this host's daemon, or a store of which any
// machine may ask, with or without a daemon.
type reading struct{ url, cluster string }

// reading adds its flags to a command and to those below it.
func (s *session) reading(c *cobra.Command) *reading {
	r := &reading{}
	f := c.PersistentFlags()
	f.StringVar(&r.url, "store", s.env.get("BERTH_STORE"), "read from this store, such as etcd://10.0.0.5:2379, and not through the daemon; also BERTH_STORE")
	f.StringVar(&r.cluster, "cluster", "default", "the cluster whose records are read, with --store")
	return r
}

// source opens what a reading says. The caller closes it.
func (s *session) source(r *reading) (source, func(), error) {
	if r.url == "" {
		return s.client(), func() {}, nil
	}
	if err := (store.Key{Cluster: r.cluster, Host: "any"}).Check(); err != nil {
		return nil, nil, misuse{err}
	}
	if err := agent.HandOver(r.url); err != nil {
		return nil, nil, err
	}
	opened, err := agent.OpenStore(r.url)
	if err != nil {
		return nil, nil, misuse{err}
	}
	return &direct{session: s, store: opened, cluster: r.cluster}, func() { _ = opened.Close() }, nil
}

// A direct source is a store itself.
type direct struct {
	session *session
	store   store.Store
	cluster string
}

// Records implements [source].
func (d *direct) Records(ctx context.Context) ([]api.StoreRecord, error) {
	if d.session.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.session.timeout)
		defer cancel()
	}
	return agent.ListRecords(ctx, d.store, d.cluster)
}

// WatchRecords implements [source].
func (d *direct) WatchRecords(ctx context.Context, since uint64, each func(api.RecordEvent) error) error {
	return agent.WatchRecords(ctx, d.store, d.cluster, since, each)
}

// recordOf is a record as the store's own type.
func recordOf(r api.StoreRecord) (store.Record, error) {
	text, err := json.Marshal(r.Record)
	if err != nil {
		return store.Record{}, err
	}
	decoded, err := store.Decode(text)
	if err != nil {
		return store.Record{}, fmt.Errorf("record %s: %w", r.Key, err)
	}
	return decoded, nil
}
