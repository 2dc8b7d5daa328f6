package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/publish"
	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/embedded"
	"github.com/berth-dev/berth/collectors/identity"
)

// openStore opens the central store. This version has the embedded engine
// alone; a configuration that names another is told so and gets it too.
func (a *Agent) openStore(stateDir string) error {
	s, notice, err := embedded.Open(filepath.Join(stateDir, "store"), embedded.Options{})
	if err != nil {
		return err
	}
	if notice != "" {
		a.component("store").Warn("store was begun anew", "err", notice)
	}
	a.store = s
	return nil
}

// publisher keeps this host's record in the store true.
func (a *Agent) publisher(g *generation) *publish.Publisher {
	c := g.loaded.Config
	return &publish.Publisher{
		Inventory: &a.hub, Store: a.store, Identity: func() identity.Host { return a.host(c.Host) },
		Tasks: g.ecs.Watch, Book: &a.book, Withdraw: g.withdraws,
		Log: a.component("publish"), JMXMPPort: uint16(c.Publish.JMXMPPort), TTL: c.Publish.TTL,
	}
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
	s, err := a.store.List(ctx, a.generation().host.Cluster)
	if err != nil {
		return nil, api.Unavailable(fmt.Errorf("list records: %w", err))
	}
	records := make([]api.StoreRecord, 0, len(s.Entries))
	for _, e := range s.Entries {
		body, err := store.Encode(e.Record)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("record of %s", e.Record.Host), err)
		}
		records = append(records, api.StoreRecord{
			Key: e.Record.Key().String(), Rev: uint64(e.Rev), Expires: stamp(e.Expires), Record: json.RawMessage(body),
		})
	}
	return records, nil
}
