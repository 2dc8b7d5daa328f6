// Workload is the service that tests and the demo run in containers: one
// static binary, no shell, no other file in its image.
//
// It writes a log line every -every into $LOG_DIR/<hostname>/app.log, which is
// how a real service makes the folder that the janitor looks after; sends a
// counter per line, tagged from:<hostname>, to $DOGSTATSD (host:port) by a bare
// datagram, and by Datadog's client to $DD_AGENT_HOST; and answers each
// connection to -listen with its hostname. All of it is optional: without
// these variables it only waits. SIGTERM and SIGINT end it with exit
// code 0.
//
//	workload                      write, send, listen until told to stop
//	workload -for 2s -exit 3      do so for two seconds, then exit with 3
//	workload -for 0 -exit 1       exit with 1 at once, also as a health check
//	workload -deaf                ignore SIGTERM, so that only SIGKILL ends it
package main
