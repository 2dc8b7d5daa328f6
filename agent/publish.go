package agent

import (
	"context"

	"github.com/berth-dev/berth/agent/api"
)

func (a *Agent) storeState(g *generation) api.StoreState {
	return api.StoreState{Engine: g.loaded.Config.Publish.Store}
}

// Records returns the records of the central store.
func (a *Agent) Records(context.Context) ([]api.StoreRecord, error) { return nil, nil }
