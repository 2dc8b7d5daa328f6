// Package store is the central store as its users see it: one record per host,
// which goes by itself when its host does.
//
//	session, err := st.Open(ctx, key, 90*time.Second)
//	err = session.Publish(ctx, record) // and again whenever the record changes
//
//	events, err := st.Watch(ctx, "prod", 0) // everything there is, then every change
//
// A [Record] is what a host says of itself: its published ports and what its
// tasks have reserved. A [Store] is an engine that keeps records: the embedded
// one needs no server and holds this host's; an engine on a shared store has
// the same two interfaces and passes the same tests, those of storetest.
//
// # Records
//
// The canonical JSON of a record (version 1) has its keys in the declared
// order and holds nothing that changes by itself, so [Record.Hash] tells
// whether there is anything to publish. A reader keeps fields that it does not
// know and passes over records of a version that it does not know
// ([ErrVersion]).
//
// # Sessions
//
// A session holds its host's record alive: the engine renews it without
// writing the record again. A session that is closed, or whose process ended,
// leaves the record to live for one TTL more, so that a restarted agent finds
// it, publishes the same and nobody notices.
//
// Every record carries its incarnation and a sequence number, and the store
// takes a record only if it is ahead of the one that is there, in this order
// (see [Record.Ahead]). Incarnations sort by their beginning: a host that was
// rebooted beats its former self at once, and what is left of that, or a clone
// with the same ID, is told with [ErrFenced] instead of taking turns. Writing
// the present record again is no error: that re-attaches a session whose lease
// was lost.
//
// # Watching
//
// A watcher gets state, not history: the first event, and any after a gap, is
// a Resync with all records, and the events that follow it are complete up to
// the next. A reader that is slow misses what has been overtaken, and delays
// nobody.
//
// # Other engines
//
// etcd: a key under a lease, a transaction on the revision as the fence, its
// revision as [Rev], compaction as Resync. Redis: the record and its beat in two
// hashes, scripts as the fence. DynamoDB: the record and its beat as two items, a
// condition expression as the fence. The watchers of these two look at the beats
// again and again and count revisions of their own, so a foreign Rev is answered
// with a Resync.
//
// # Invariants
//
//   - P1 (a record expires unless renewed): a record whose session has ended
//     goes within its TTL and a second.
//   - P2 (no false withdrawal): the end and return of an agent or of the store
//     within the TTL is no event for any watcher.
//   - I5 (no duty waits for another): no reader delays a writer.
package store
