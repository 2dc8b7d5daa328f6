// Package remote is what engines on a server have in common: how often they
// renew and try again, sessions, what a URL can say of a connection, and, for
// servers that cannot be watched, a watch that asks again and again.
//
//	life := &remote.Life{}
//	session, err := remote.NewSession(ctx, keeper, life, key, 90*time.Second)
//	view := &remote.View{Source: source, Life: life} // lists and watches
//
// An engine brings a [Keeper], which reads, writes, renews and removes one
// record with a condition, and either watches for itself or brings a [Source].
//
// # Pace
//
// What a server is asked follows from the TTL (see [Pace]). A renewal is due
// after a random time, so that hosts which began together do not go on
// together, and a pause between tries is as random as that, and never short: the
// return of a server after an outage is not its busiest second. Two pauses and two
// calls that hang fit into a TTL: the end of an outage finds each host in time.
//
// # Clocks
//
// Nobody's wall clock decides between life and death here. A View measures
// what is left of a record in its server's time, and from then on by its own
// monotonic clock; a record that was renewed since the last look lives,
// whatever the clocks say.
//
// # Invariants
//
//   - P1 (a record expires unless renewed): the renewal ends with the session.
//   - P2 (no false withdrawal): a server that does not answer is no reason to
//     tell a watcher of an expiry that the server might not see.
//   - I3 (constructors start nothing): the renewal begins with the first record.
//   - I4 (Run returns after its goroutines): Life.Close waits for all of them.
package remote
