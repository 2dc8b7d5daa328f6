// Package e2e tests Berth from outside: the real binary as a process of its
// own, asked by its own command line, in front of a real Docker Engine.
//
//	go test ./test/e2e                                                      # as CI runs it
//	go test ./test/e2e -run WhileItsContainerExists -cycles 2000 -timeout 2h # the long race
//	go test ./test/e2e -run NoLineIsOfAnotherContainer -cycles 10000        # the relay's long race
//	go test ./test/e2e -run SuddenDeath -kills 500 -timeout 1h              # many sudden deaths
//
// It needs root and Docker. Each test has a daemon of its own, with its own
// folder for configuration, state, socket and log root, so that tests run
// beside each other and beside an installed Berth. Readiness is heard on a
// notify socket, as systemd would hear it; nothing waits for a fixed time.
//
// # What is proved here
//
//   - J1, J2, J3: no folder of a container that exists is moved, whatever the
//     container is doing, whoever restarts, and however Docker lies.
//   - J4: log roots that are not what they were are named and left alone, and
//     the others go on.
//   - J5: death at any moment leaves every folder in place, restorable or
//     purged, and none in between.
//   - J6: a sweep applies the plan that was printed, byte for byte.
//   - R1: with real containers and Datadog's own client each line arrives as it
//     was sent, with its own container named; on few addresses, each used again
//     at once, with no other's.
//   - P2: a restart withdraws nothing from the store.
package e2e
