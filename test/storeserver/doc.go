// Package storeserver runs the servers that keep Berth's records, for the
// tests of the engines on them: real ones, on loopback, with data of their own.
//
//	s := storeserver.Etcd(t, storeserver.Debian) // as /usr/bin/etcd
//	s.Kill()                                     // SIGKILL, as by the kernel
//	s.Start()                                    // with the data it had
//	s.Empty()                                    // killed, and started without data
//
// A server ends with its test. One that is not installed fails the test and
// names what installs it: make setup.
package storeserver
