// Package api is the daemon's unix socket: what it serves, to whom, and the
// client that the command line uses.
//
// The protocol is HTTP/1.1 with JSON under /v1/. Changes are additive only.
// Events are a stream of JSON lines, refusals are problem documents (RFC
// 9457), lists are [] and never null, and GET /v1/openapi.json describes it
// all: the document is generated from the table of routes and the types, and a
// test holds each answer against it.
//
// A daemon opens its socket with [Listen] and serves it with [Server.Serve];
// what it answers comes from a [Backend]. What it saw and did it publishes to
// a [Feed]. The other end is a [Client].
//
// # Who may do what
//
// Whoever may connect may read. To operate (every POST) takes uid 0, the
// daemon's own uid, or membership of the operator group, as the kernel says of
// the connection; and not from inside a container, where uid 0 is anybody's.
// A peer of whom that cannot be told only reads.
//
// # Invariants
//
//   - I3 (constructors start nothing): [NewClient] and [Listen] start no
//     goroutine; an idle server has no timer.
//   - I4 (Run returns after its goroutines): [Server.Serve] ends its streams
//     and waits for its answers before it returns.
//   - I5 (no duty waits for another): [Feed.Publish] never waits for a reader.
package api
