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

// opens opens a store of the test's own. The first time for a place the server
// is new; each later time it has been killed and started again.
func opens(server *storeserver.Server, addr string) func(*testing.T, string) store.Store {
	seen := map[string]bool{}
	return func(t *testing.T, place string) store.Store {
		t.Helper()
		if seen[place] {
			server.Kill()
			server.Start()
		} else {
			server.Empty()
		}
		seen[place] = true
		return open(t, "redis://"+addr)
	}
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
	t.Parallel() // it mostly waits
	server := storeserver.Redis(t)
	storetest.Run(t, storetest.Engine{Open: opens(server, server.Addr()), TTL: ttl, Late: late})
}

func TestContractOverASlowNetwork(t *testing.T) {
	t.Parallel()
	server := storeserver.Redis(t)
	proxy := tcpproxy.New(t, server.Addr())
	proxy.Set(tcpproxy.Faults{Delay: time.Millisecond})
	storetest.Run(t, storetest.Engine{Open: opens(server, proxy.Addr()), TTL: ttl, Late: late})
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
