// Package embedded is the central store of a single host: no server, a file in
// the state folder, and everything in memory.
//
//	st, notice, err := embedded.Open("/var/lib/berth/store", embedded.Options{})
//	defer st.Close()
//
// # Memory first
//
// Readers are served from memory and never wait for the disk. The file, which
// only the daemon's user can read, is written only when a record changes, and
// read only by Open. What it holds can be learned again from Docker: a file that
// is damaged is moved aside with a notice, and a disk that is full leaves the
// records in memory true and tells the publisher.
//
// # The file
//
// A journal: one line per change, a checksum before each, synced before a
// change counts as saved, and rewritten whole once it has grown to several
// times what it says. A last line without an end is what a sudden death leaves
// and is cut off. Any other bad line makes the whole file worthless, as it may
// have been what an older line was replaced by. A database was tried first
// (bbolt): on a damaged file it panics, reads outside its memory or allocates
// without bound, and a copy of what Docker knows must not be able to end the
// daemon. The lock is on a file beside it, so that the journal can be replaced.
//
// # Liveness
//
// Nothing ticks. The publisher lives in the same process as the store, so an
// open session is its own heartbeat. A record whose session was closed, or that
// was found in the file by Open, has one TTL from then on to be taken up again;
// one timer waits for the first of these moments. It follows the monotonic
// clock: setting the host's time neither ends a record nor prolongs it.
//
// # Invariants
//
//   - P1 (a record expires unless renewed): at its TTL after its session ended.
//   - P2 (no false withdrawal): Open gives every record its whole TTL, however
//     long the daemon was away.
//   - I3 (constructors start nothing): Open sets one timer and no goroutine;
//     each watch has one of its own until it ends, and Close waits for them.
package embedded
