package redis_test

import (
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/redis"
	"github.com/berth-dev/berth/bridge/store/storetest"
	"github.com/berth-dev/berth/test/storeserver"
	"github.com/berth-dev/berth/test/tcpproxy"
)

// ttl is the shortest that leaves a loaded machine half a second for a call.
const ttl = 4 * time.Second

// late: the server's uptime, by which records live again after its restart, is
// counted in whole seconds.
const late = 2500 * time.Millisecond

// opens opens a store of the test's own, on a server that can be restarted.
func opens(start func(testing.TB) (storetest.Server, string)) func(*testing.T, string) store.Store {
	return storetest.Restarting(start, func(t *testing.T, addr string) store.Store { return open(t, "redis://"+addr) })
}

func open(t *testing.T, url string) store.Store {
	t.Helper()
	s, err := redis.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// proves P1, P2 and I5 on a server that is killed.
func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Engine{TTL: ttl, Late: late, Open: opens(func(t testing.TB) (storetest.Server, string) {
		server := storeserver.Redis(t)
		return server, server.Addr()
	})})
}

func TestContractOverASlowNetwork(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Engine{TTL: ttl, Late: late, Open: opens(func(t testing.TB) (storetest.Server, string) {
		server := storeserver.Redis(t)
		proxy := tcpproxy.New(t, server.Addr())
		proxy.Set(tcpproxy.Faults{Delay: time.Millisecond})
		return server, proxy.Addr()
	})})
}

// proves P1 and P2 while network and server fail.
func TestFaults(t *testing.T) {
	t.Parallel()
	storetest.RunRemote(t, func(t *testing.T) storetest.Remote {
		server := storeserver.Redis(t)
		network := tcpproxy.New(t, server.Addr())
		at := func(addr string) func(*testing.T) store.Store {
			return func(t *testing.T) store.Store { return open(t, "redis://"+addr) }
		}
		through := at(network.Addr())
		return storetest.Remote{
			Engine:  storetest.Engine{Open: func(t *testing.T, _ string) store.Store { return through(t) }, TTL: ttl, Late: late},
			Network: network, Near: at(server.Addr()), Kill: server.Kill, Start: server.Start, Empty: server.Empty,
		}
	})
}
