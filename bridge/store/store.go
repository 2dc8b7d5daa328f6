package store

import (
	"context"
	"time"
)

// A Store keeps the records of one or more clusters. Its methods may be called
// from several goroutines at once.
type Store interface {
	// Engine names the kind of store: embedded, etcd, dynamodb.
	Engine() string

	// Open begins a session for one host's record, which ctx does not end. It
	// writes nothing.
	Open(ctx context.Context, key Key, ttl time.Duration) (Session, error)

	// List returns all records of a cluster, as of one moment.
	List(ctx context.Context, cluster string) (Snapshot, error)

	// Watch follows a cluster until ctx ends or the store is closed; then the
	// channel is closed. Given the Rev of the last thing that the reader knows,
	// it goes on from there if the engine can, and begins with a Resync
	// otherwise; with 0 always. An engine that loses its server goes on by
	// itself.
	Watch(ctx context.Context, cluster string, from Rev) (<-chan Event, error)

	// Close ends all watches and renewals and returns when they have ended.
	// The records stay.
	Close() error
}

// A Session is one host's hold on its record.
type Session interface {
	// Found is the record that was there when the session began.
	Found() (Record, bool)

	// Publish puts the host's record into the store and holds it there. It is
	// ErrFenced, and nothing has changed, unless the record is ahead of the one
	// that is there, or the same. The store shares r's slices and maps: the
	// caller must not change them afterwards.
	Publish(ctx context.Context, r Record) error

	// Withdraw takes the record away that this session published. It is
	// ErrFenced if the record has become another incarnation's, and no error
	// if there is none.
	Withdraw(ctx context.Context) error

	// Lost is closed once the record is no longer held by this session: the
	// lease was lost or another incarnation has taken over. After the next
	// successful Publish it is another channel.
	Lost() <-chan struct{}

	// Close ends the renewal. The record lives on for its TTL.
	Close() error
}

// A Rev is a point in a store's history. It grows, has gaps, and means nothing
// to another store.
type Rev uint64

// An Entry is a record in the store.
type Entry struct {
	Key     Key
	Rev     Rev       // of the last change of the record
	Expires time.Time // when it would go if it were not renewed from now on
	Record  Record
}

// A Snapshot is the content of one cluster.
type Snapshot struct {
	Rev     Rev
	Entries []Entry // sorted by host
	Skipped int     // records that were not understood, as of a later version
}

// A Kind is what an event says.
type Kind int

// The kinds of events.
const (
	Put    Kind = iota + 1 // Entry is new or changed
	Gone                   // Entry is no longer there, for Cause
	Resync                 // Snapshot replaces all that the reader knows
)

// A Cause is why a record has gone.
type Cause string

// The causes.
const (
	Expired   Cause = "expired"
	Withdrawn Cause = "withdrawn"
)

// An Event is one change of a cluster.
type Event struct {
	Kind     Kind
	Rev      Rev
	Entry    Entry    // Put: as it is; Gone: as it was
	Cause    Cause    // Gone
	Snapshot Snapshot // Resync
}
