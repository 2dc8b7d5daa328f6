package etcd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/etcd"
	"github.com/berth-dev/berth/bridge/store/storetest"
	"github.com/berth-dev/berth/test/storeserver"
	"github.com/berth-dev/berth/test/tcpproxy"
)

// ttl is the shortest that leaves a loaded machine half a second for a call.
const ttl = 4 * time.Second

// late: etcd looks for leases that have ended twice a second, and gives them
// up to a second more when it elects a leader.
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
		s, err := etcd.Open("etcd://" + addr + "/" + strings.Trim(place, "/"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// proves P1, P2 and I5 on servers that are killed.
func TestContract(t *testing.T) {
	for _, build := range []storeserver.Build{storeserver.Debian, storeserver.Current} {
		t.Run(string(build), func(t *testing.T) {
			t.Parallel() // it mostly waits
			server := storeserver.Etcd(t, build)
			storetest.Run(t, storetest.Engine{Open: opens(server, server.Addr()), TTL: ttl, Late: late})
		})
	}
}

func TestContractOverASlowNetwork(t *testing.T) {
	t.Parallel()
	server := storeserver.Etcd(t, storeserver.Current)
	proxy := tcpproxy.New(t, server.Addr())
	proxy.Set(tcpproxy.Faults{Delay: time.Millisecond})
	storetest.Run(t, storetest.Engine{Open: opens(server, proxy.Addr()), TTL: ttl, Late: late})
}
