// Package dockerproxy stands between a test and a Docker Engine and makes the
// Engine fail in the ways that a real one does, at the moment the test says.
//
//	p := dockerproxy.New(t, engine.Default(t).Socket())
//	p.Set(dockerproxy.Faults{Hang: true}) // a stopped daemon: connects, never answers
//	p.Set(dockerproxy.Faults{})           // well again
//
// It is transparent until told otherwise. What it forwards are the Engine's own
// answers; a fault spoils them, and none is made up. It also keeps a list of
// the requests it has seen, which is how a test proves what was asked and in
// which order.
package dockerproxy
