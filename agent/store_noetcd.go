//go:build !etcd

package agent

import (
	"errors"

	"github.com/berth-dev/berth/bridge/store"
)

// hasEtcd reports whether this build has etcd's client.
const hasEtcd = false

func openEtcd(string) (store.Store, error) {
	return nil, errors.New("this build has no client of etcd: use " + full)
}
