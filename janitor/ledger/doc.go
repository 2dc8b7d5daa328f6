// Package ledger remembers which containers this host has seen, and when and
// how each went: what no listing can tell, because a listing only says who is
// there now.
//
// It is told of every complete listing and of Docker's create and destroy
// events. A container that is absent without a destroy event is unexplained:
// the listing may be short. It counts as gone only when it has stayed away for
// a while; when many vanish at once, for much longer. An event about a container
// that a later listing names does not count, and where the clock has gone back,
// what was noted for a time yet to come counts from now.
//
// The ledger lives in a journal of the state folder. A line that is lost makes
// a container less known or not yet gone, and so its folder stays longer.
//
// # Invariants
//
//   - J2 (unknown is alive): a container in the newest listing is never gone,
//     whatever events said, and what vanishes without a word is not dead yet.
package ledger
