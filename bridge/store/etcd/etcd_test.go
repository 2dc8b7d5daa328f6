package etcd_test

import (
	"sync"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/storetest"
	"github.com/berth-dev/berth/test/storeserver"
	"github.com/berth-dev/berth/test/tcpproxy"
)

// ttl is the shortest that leaves a loaded machine half a second for a call.
const ttl = 4 * time.Second

// late: etcd looks for leases that have ended twice a second, and gives them
// up to a second more when it elects a leader.
const late = 2500 * time.Millisecond

// opens opens a store of the test's own. The first time for a place its server is
// started; each later time it has been killed and started again.
func opens(start func(testing.TB) (server *storeserver.Server, addr string)) func(*testing.T, string) store.Store {
	type place struct {
		server *storeserver.Server
		addr   string
	}
	var places sync.Map // by name
	return func(t *testing.T, name string) store.Store {
		t.Helper()
		if found, ok := places.Load(name); ok {
			p := found.(place)
			p.server.Kill()
			p.server.Start()
			return open(t, "etcd://"+p.addr)
		}
		server, addr := start(t)
		places.Store(name, place{server, addr})
		return open(t, "etcd://"+addr)
	}
}

// proves P1, P2 and I5 on servers that are killed.
func TestContract(t *testing.T) {
	for _, build := range []storeserver.Build{storeserver.Debian, storeserver.Current} {
		t.Run(string(build), func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, storetest.Engine{TTL: ttl, Late: late, Open: opens(func(t testing.TB) (*storeserver.Server, string) {
				server := storeserver.Etcd(t, build)
				return server, server.Addr()
			})})
		})
	}
}

func TestContractOverASlowNetwork(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Engine{TTL: ttl, Late: late, Open: opens(func(t testing.TB) (*storeserver.Server, string) {
		server := storeserver.Etcd(t, storeserver.Current)
		proxy := tcpproxy.New(t, server.Addr())
		proxy.Set(tcpproxy.Faults{Delay: time.Millisecond})
		return server, proxy.Addr()
	})})
}
