// Package engine gives tests a real Docker Engine: the machine's own, or a
// private dockerd that a test may stop, kill, freeze and start again.
//
//	e := engine.Default(t)
//	id := e.Run(t, engine.Options{Labels: map[string]string{"com.docker.compose.service": "orders"}})
//	e.Kill(t, id)
//
// It speaks plain HTTP on the socket, so that what is tested and what tests it
// share no client. Every container carries the label berth.test=<run> and goes
// when the test ends. Verbs with a testing.TB fail the test; from another
// goroutine use [Engine.Try], [Engine.TryCreate] and [Engine.Do], which return
// errors.
//
// # Cost
//
// A container joins no network unless Options says otherwise, because network
// set-up is the part of a start that can be left out. One create, start, remove
// cycle of the workload on two shared cores: about 260 ms with network none and
// 350 ms on the bridge, nearly all of it runc; a create and remove without a
// start is 10 ms. A private Engine answers half a second after its start.
//
// # Images
//
// There is no registry: [Engine.Image] builds test/workload once and imports
// it under a tag made from a hash of its source, so that all test processes of
// a machine share one image, and a later run finds it there. It stays behind:
// removing it at the end of one test would break another that runs beside it.
package engine
