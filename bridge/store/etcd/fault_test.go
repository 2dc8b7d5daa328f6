package etcd_test

import (
	"testing"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/etcd"
	"github.com/berth-dev/berth/bridge/store/storetest"
	"github.com/berth-dev/berth/test/storeserver"
	"github.com/berth-dev/berth/test/tcpproxy"
)

// proves P1 and P2 while network and server fail.
func TestFaults(t *testing.T) {
	for _, build := range []storeserver.Build{storeserver.Debian, storeserver.Current} {
		t.Run(string(build), func(t *testing.T) {
			t.Parallel()
			storetest.RunRemote(t, func(t *testing.T) storetest.Remote {
				server := storeserver.Etcd(t, build)
				network := tcpproxy.New(t, server.Addr())
				at := func(addr string) func(*testing.T) store.Store {
					return func(t *testing.T) store.Store { return open(t, "etcd://"+addr) }
				}
				through := at(network.Addr())
				return storetest.Remote{
					Engine:  storetest.Engine{Open: func(t *testing.T, _ string) store.Store { return through(t) }, TTL: ttl, Late: late},
					Network: network, Near: at(server.Addr()), Kill: server.Kill, Start: server.Start, Empty: server.Empty,
				}
			})
		})
	}
}

func open(t *testing.T, url string) store.Store {
	t.Helper()
	s, err := etcd.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
