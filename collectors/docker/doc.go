// Package docker watches one Docker Engine and keeps the inventory true. It is
// the only importer of Docker's client.
//
//	client, err := docker.Dial("/var/run/docker.sock")
//	watcher := &docker.Watcher{Client: client, Inventory: &hub, Log: log}
//	err = watcher.Run(ctx) // until ctx ends
//
// # How it watches
//
// [Watcher.Run] is one loop and the inventory's one writer. It subscribes to
// the Engine's events first and lists second, so nothing falls between the two.
// From then on an event is only a hint that a container has changed: the loop
// lists that container again, or all when many have changed, at once when it was
// quiet, and in a storm with pauses of twice the time that the Engine took for
// the last list, at most 250 ms. Every few minutes it lists all without a hint,
// for the case that events are lost.
//
// What a list does not tell (limits, when a container started and ended) comes
// from one inspect per container, kept until an event names the container or
// the list shows it in another state, and asked anew for all of them whenever
// events may have been missed. Docker makes an inspect wait while it starts the
// container; the loop does not wait for it, and puts the answer into the
// picture when it comes. Until then those fields are zero, or the last ones
// known. For the same reason an inspect is the better witness: Docker tells of
// the end of a container before its list shows it, and where an inspect
// contradicts the list, the loop lists once more.
//
// # What takes space
//
// [Client.Store] lists images with their layers, and then containers. A layer's
// size is what the Engine itself notes in its data root, where that can be read,
// and what an image's history says where it cannot: with another image store, or
// without the rights.
//
// # When the Engine is away
//
// A connection refused, a call without an answer, an error status, half a body
// or the end of the event stream all end the session: the picture stays, is
// marked blind with the reason, and the loop reconnects with growing, jittered
// pauses. An Engine that is frozen accepts connections and answers nothing, so
// a ping asks after it when nothing else has proved it alive. The next complete
// listing clears the mark. Berth never exits because Docker does.
//
// # Invariants
//
//   - D1 (Berth reads Docker, and removes in one place): every request passes an
//     allow-list before a byte leaves the process. Nothing on a [Client]'s, which
//     is [Calls], can change a container, an image, or the Engine. What a
//     [Remover] may do beside is [Removals]: each about one object by its name
//     or ID, none by force.
//   - D2 (all or nothing): [Client.List] returns every container of every state,
//     confirmed by the Engine's own count from before and after, or an error.
//   - I1 (one writer): the loop of [Watcher.Run] alone replaces the picture.
//   - I4 (Run returns after its goroutines): the event reader and the inspects
//     have ended when it does.
package docker
