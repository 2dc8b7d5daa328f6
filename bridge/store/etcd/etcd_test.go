package etcd_test

import (
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

// opens opens a store of the test's own, on a server that can be restarted.
func opens(start func(testing.TB) (storetest.Server, string)) func(*testing.T, string) store.Store {
	return storetest.Restarting(start, func(t *testing.T, addr string) store.Store { return open(t, "etcd://"+addr) })
}

// proves P1, P2 and I5 on servers that are killed.
func TestContract(t *testing.T) {
	for _, build := range []storeserver.Build{storeserver.Debian, storeserver.Current} {
		t.Run(string(build), func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, storetest.Engine{TTL: ttl, Late: late, Open: opens(func(t testing.TB) (storetest.Server, string) {
				server := storeserver.Etcd(t, build)
				return server, server.Addr()
			})})
		})
	}
}

func TestContractOverASlowNetwork(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Engine{TTL: ttl, Late: late, Open: opens(func(t testing.TB) (storetest.Server, string) {
		server := storeserver.Etcd(t, storeserver.Current)
		proxy := tcpproxy.New(t, server.Addr())
		proxy.Set(tcpproxy.Faults{Delay: time.Millisecond})
		return server, proxy.Addr()
	})})
}
