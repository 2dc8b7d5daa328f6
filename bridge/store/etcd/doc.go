// Package etcd is the central store on an etcd cluster, version 3.4 or newer.
//
//	st, err := etcd.Open("etcds://10.0.0.5:2379,10.0.0.6:2379?cafile=/etc/berth/ca.pem&certfile=…&keyfile=…")
//
// Opening connects to nobody: a cluster that is away is a fault of the calls,
// which do not wait for it.
//
// # Keys
//
// Below the path of the URL, if it has one:
//
//	berth/v1/<cluster>/h/<host>   the record, as JSON, under its host's lease
//	berth/v1/<cluster>/w/<host>   for a moment: the record was withdrawn
//	berth/v1/<cluster>/epoch      a random text, which tells one history from another
//
// A role that may read and write berth/v1/<cluster>/ is all that an agent
// needs; one that may read it is enough for who lists and watches.
//
// # Leases
//
// One for each host, not for each agent: an agent that returns finds its record
// with the lease, and goes on with both. A renewal is not a write for etcd; every
// third one also looks whether somebody has deleted the key. The
// lower 16 bits of a lease's ID are its TTL in seconds, so that a reader knows
// when a record would go without asking for each lease. A host that takes over
// a record puts it under a lease of its own and revokes the former, which is
// how the other learns of it.
//
// # Watching
//
// A watch goes on from where it was, after a compaction with a Resync. One
// thing etcd does not tell is that its data were lost: it lets a watcher wait
// for revisions that may come in a month. So revision and epoch are compared
// every few seconds, and whatever is older or another is a Resync.
//
// # Invariants
//
//   - P1 (a record expires unless renewed): etcd revokes the lease, and with it
//     the record. It gives all leases their time again when it elects a leader.
//   - P2 (no false withdrawal): nothing but a revision of etcd's is an event.
//   - I5 (no duty waits for another): a slow reader is left behind, not waited for.
package etcd
