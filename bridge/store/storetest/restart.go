package storetest

import (
	"sync"
	"testing"

	"github.com/berth-dev/berth/bridge/store"
)

// A Server is a store's server that can be killed and started again.
type Server interface {
	Kill()
	Start()
}

// Restarting returns an Open for engines whose server a test may restart: the
// first time for a place its server is started, and each later time that one has
// been killed and started again. open opens the store at an address.
func Restarting(start func(testing.TB) (server Server, addr string), open func(t *testing.T, addr string) store.Store) func(*testing.T, string) store.Store {
	type place struct {
		server Server
		addr   string
	}
	var places sync.Map // by name
	return func(t *testing.T, name string) store.Store {
		t.Helper()
		if found, ok := places.Load(name); ok {
			p := found.(place)
			p.server.Kill()
			p.server.Start()
			return open(t, p.addr)
		}
		server, addr := start(t)
		places.Store(name, place{server, addr})
		return open(t, addr)
	}
}
