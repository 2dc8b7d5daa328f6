package agent

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/berth-dev/berth/agent/internal/config"
	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/dynamodb"
	"github.com/berth-dev/berth/bridge/store/embedded"
	"github.com/berth-dev/berth/bridge/store/redis"
)

// OpenStore opens the store on a server that a URL names, and connects to
// nobody yet. See [HandOver] for etcd.
func OpenStore(url string) (store.Store, error) {
	switch scheme := schemeOf(url); scheme {
	case "etcd", "etcds":
		return openEtcd(url)
	case "redis", "rediss":
		return redis.Open(url)
	case "dynamodb":
		return dynamodb.Open(url)
	case config.Embedded:
		return nil, errors.New("the embedded store is the daemon's own: ask the daemon")
	default:
		return nil, fmt.Errorf("no store of the kind %q is built in", scheme)
	}
}

func schemeOf(url string) string {
	scheme, _, _ := strings.Cut(url, "://")
	return scheme
}

// openStore opens the central store.
func (a *Agent) openStore(c config.Config) (err error) {
	if c.Publish.Store != config.Embedded {
		a.store, err = OpenStore(c.Publish.Store)
		return err
	}
	s, notice, err := embedded.Open(filepath.Join(c.StateDir, "store"), embedded.Options{})
	if err != nil {
		return err
	}
	if notice != "" {
		a.component("store").Warn("store was begun anew", "err", notice)
	}
	a.store = s
	return nil
}
