// Package relay measures dogstatsd relays beside each other: ours, what people
// use in its place, and no relay at all.
//
// A [Rig] is a host and its containers as far as a datagram can tell: network
// namespaces on a bridge docker0, with Docker's nat table. In each round one
// process sends from the containers, one relays, and one receives, in the way
// of the Datadog agent: one read a datagram, packets from a pool, a receive
// buffer of the default size. What is compared is the run time of their
// threads for each datagram that was generated; the variants take turns, and
// medians are set beside those of the naive relay and of a DNAT rule.
//
// The namespaces have no name: they go when this process goes, as do the
// processes, whatever ends it. Nothing outside them is sent a datagram.
package relay
