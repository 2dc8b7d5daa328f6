//go:build etcd

package agent

import (
	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/etcd"
)

// hasEtcd reports whether this build has etcd's client.
const hasEtcd = true

func openEtcd(url string) (store.Store, error) { return etcd.Open(url) }
