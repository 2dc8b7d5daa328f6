// Package tcpproxy stands between a client and a TCP server and makes the way
// between them fail as networks do, at the moment the test says.
//
//	p := tcpproxy.New(t, "127.0.0.1:2379")
//	client.Dial(p.Addr())
//	p.Set(tcpproxy.Faults{Hang: true}) // half open: accepted, and nothing passes
//	p.Set(tcpproxy.Faults{})           // well again
//
// It passes bytes on unchanged and listens on loopback alone.
package tcpproxy
