package remote

import (
	"context"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// A Source is an engine that can be asked and not watched.
type Source interface {
	// Look returns what is there of a cluster's hosts; of some alone, if only
	// is not nil. Records come along where their version is not the known one.
	Look(ctx context.Context, cluster string, only []string, known func(host string) string) ([]Sight, error)
	// Hints calls wake with a host after each change that it hears of, until
	// ctx ends. It may miss some; a source without hints just waits.
	Hints(ctx context.Context, cluster string, wake func(host string))
}

// A Sight is one host's record as a look found it.
type Sight struct {
	Host      string
	Version   string        // another one for each record
	Renewed   string        // another one after each renewal
	Left      time.Duration // to live, by the server's clock; may be negative
	TTL       time.Duration
	Withdrawn bool
	Record    *store.Record // nil: of the known version, or not understood
	Unknown   bool          // it is not understood
}

// A seen record is what a view knows of a host.
type seen struct {
	record   store.Record
	rev      store.Rev
	version  string
	renewed  string
	ttl      time.Duration
	deadline time.Time // monotonic
	shown    bool      // readers know it
	unknown  bool      // it lives, and is not understood
}
