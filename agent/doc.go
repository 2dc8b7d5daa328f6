// Package agent is Berth as one process: it builds the components from a
// configuration, runs them side by side, and answers for them on the socket.
//
// What lives as long as the process is opened once, by [Run]: the socket, the
// inventory, the ledger, the audit, the store. What a configuration decides is
// built anew for each accepted one, as a generation: a reload parses and checks
// everything first, and only then stops the running generation, waits for it,
// and starts the next. Listeners are outside, so no question is refused.
//
// Components do not know each other. They meet here, as small interfaces.
//
// # Invariants
//
//   - I3 (constructors start nothing): what runs is started by a Run method.
//   - I4 (Run returns after its goroutines): and so a stop loses nothing.
//   - I5 (no duty waits for another): each component has its own goroutine, and
//     no lock is held across a call to Docker, the store or the disk.
package agent
