// Package dogstatsd relays dogstatsd from the containers of this host to the
// host's dogstatsd server, and names the container behind each line.
//
// A [Relay] listens on addresses that containers reach, whatever docker0's
// address is at the time. It waits a few milliseconds after the first datagram,
// takes all that have come, packs their lines into datagrams of up to 8 KiB,
// and hands these on. Waking up is what costs, not bytes: so relay and server
// together need less than the server would alone.
//
// Who sent a datagram is told by its source address: [Relay.Origins] takes the
// containers of this host, [Relay.Ended] the news that one has ended.
//
// # Invariants
//
//   - R1 (a packet's bytes are never altered): but for an origin added by the
//     rules of the package line. What is not handed on is counted, by cause and
//     by container: messages received are messages delivered and messages
//     dropped, and those that are still held.
//   - I5 (no duty waits for another): the upstream may be slow, away or hung;
//     the relay goes on reading, and holds what it can.
package dogstatsd
