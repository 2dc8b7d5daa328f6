package agent

import (
	"context"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/publish"
	"github.com/berth-dev/berth/bridge/store/embedded"
	"github.com/berth-dev/berth/collectors/identity"
)

// spread is over how long the hosts of a cluster distribute their records when
// all have to publish at once.
const spread = 10 * time.Second

// publisher keeps this host's record in the store true.
func (a *Agent) publisher(g *generation) *publish.Publisher {
	c := g.loaded.Config
	p := &publish.Publisher{
		Inventory: &a.hub, Store: a.store, Identity: func() identity.Host { return a.host(c.Host) },
		Tasks: g.ecs.Watch, Book: &a.book, Withdraw: g.withdraws,
		Log: a.component("publish"), JMXMPPort: uint16(c.Publish.JMXMPPort), TTL: c.Publish.TTL,
	}
	if a.store.Engine() != embedded.Engine {
		p.Spread = spread
	}
	return p
}

// withdraws reports whether the host's record has to go with this process: a
// reload and a restart keep it, and the end of the host does not.
func (g *generation) withdraws(ctx context.Context) bool {
	return !g.replaced.Load() && (g.loaded.Config.Publish.Withdraw || hostStops(ctx))
}

func (a *Agent) storeState(g *generation) api.StoreState {
	s := g.publisher.Status()
	return api.StoreState{Engine: s.Engine, Fault: s.Fault, Published: stamp(s.Published), Mappings: s.Mappings, Cut: s.Cut, Fenced: s.Fenced}
}

// Records returns the records of the central store.
func (a *Agent) Records(ctx context.Context) ([]api.StoreRecord, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	records, err := ListRecords(ctx, a.store, a.generation().host.Cluster)
	if err != nil {
		return nil, api.Unavailable(err)
	}
	return records, nil
}

// WatchRecords follows the records of the central store.
func (a *Agent) WatchRecords(ctx context.Context, since uint64, each func(api.RecordEvent) error) error {
	return WatchRecords(ctx, a.store, a.generation().host.Cluster, since, each)
}
