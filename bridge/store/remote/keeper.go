package remote

import (
	"context"
	"errors"
	"time"

	"github.com/berth-dev/berth/bridge/store"
)

// What a server answers to a condition that does not hold.
var (
	// ErrRaced is a record that has become another since it was read.
	ErrRaced = errors.New("the record has changed meanwhile")
	// ErrGone is a hold that has ended: it expired, or another has taken over.
	ErrGone = errors.New("the record is no longer held")
)

// A Keeper is an engine as sessions see it. Each method is one step of the
// server, which does all of it or nothing.
type Keeper interface {
	// Read returns the record that lives under a key; nil if there is none.
	Read(ctx context.Context, key store.Key) (*Held, error)
	// Write puts a record in the place of over, or of nothing, and holds it
	// for a TTL. It is ErrRaced if something else is there.
	Write(ctx context.Context, r store.Record, ttl time.Duration, over *Held) (*Held, error)
	// Renew lets a record live for another TTL. It is ErrGone if the record has
	// gone or is another incarnation's.
	Renew(ctx context.Context, h *Held, ttl time.Duration) error
	// Remove takes a record away and says that it was withdrawn. It is ErrRaced
	// if it has changed or gone.
	Remove(ctx context.Context, h *Held) error
}

// A Held is a record in the server and how the engine finds it again.
type Held struct {
	Record store.Record
	Hold   any
}
