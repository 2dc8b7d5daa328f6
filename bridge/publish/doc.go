// Package publish keeps this host's record in the central store true.
//
//	p := &publish.Publisher{Inventory: &hub, Store: st, Identity: who, Log: log}
//	err := p.Run(ctx) // until ctx ends
//
// One goroutine looks at the inventory, makes the record that should be there,
// and publishes it if its hash differs from the last one's. There is no queue:
// while the store is away only the newest picture counts, and its return costs
// one write. A burst of changes is one record, and a host publishes at most five
// times a second.
//
// # What is never published
//
// A picture that Docker has not confirmed. Before the first complete listing
// the record of the time before is held as it was found, if it is of the same
// boot; while Docker does not answer, the last mappings stay and the state says
// docker-down.
//
// # Restarts
//
// The end of Run leaves the record in the store. The next Run finds it there,
// goes on with its incarnation and number, and holds it without writing it
// again: nobody sees the restart. On an ECS host it waits up to five seconds for
// the agent's view, which comes after Docker's. After a reboot the ports are others, so a new
// incarnation begins, which beats the old one at once.
//
// The record goes with Run only if Withdraw says that the host does not come back.
//
// # When something is wrong
//
// A store that is away is retried for ever, at random times, and is a [Status],
// not an error. If another agent publishes for the same host, as on a cloned
// machine, this one does not fight: it says so and looks again after a TTL. A
// record that is too large for the store is published without its shapes and its
// last mappings, and says how many are missing: silence would be taken for death.
//
// # Invariants
//
//   - P1 (a record expires unless renewed): the session renews it only while Run
//     runs.
//   - P2 (no false withdrawal): a mapping goes only because a complete listing
//     no longer shows it.
//   - I5 (no duty waits for another): no lock is held during a call to the
//     store, and every call has a deadline.
package publish
