// Package stats sends the daemon's own metrics: what it saw, what it deleted
// and what it cost, as dogstatsd to the host's Datadog agent.
//
// Every metric stands in one table, [Metrics], with its type and unit; nothing
// else can leave. Components keep plain totals; a [Reporter] gathers them once
// per interval and sends gauges as they are and counts as the difference to
// the last time, so that a component never waits for a socket.
package stats
