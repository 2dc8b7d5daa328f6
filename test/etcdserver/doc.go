// Etcdserver is the current etcd server in a module of its own: the daemon
// needs its client alone, and the server's own program cannot be installed by
// its path. Tests build it and start it on loopback.
//
//	go run . -name n1 -data-dir D -listen-client-urls http://127.0.0.1:2379 …
//
// It takes those flags of etcd's that the tests use.
package main
