// Package inventory is Berth's one picture of the containers on this host: the
// nouns every other package speaks in, and the hub that hands the picture on.
//
// The hub hands over state, not events. Its one writer (the Docker watcher)
// replaces the whole picture; a reader calls [Inventory.Watch], which returns
// the present [Snapshot] together with a channel that is closed once that
// snapshot is out of date. Both are read under one lock, so a reader can never
// miss a change between looking and waiting, and a burst of changes reaches a
// slow reader as one.
//
// The package imports the standard library only and is a leaf of the import
// graph.
//
// # Invariants
//
//   - I1 (one writer): only the Docker watcher calls [Inventory.Replace].
//   - I2 (nothing irreversible reads it): the picture may be out of date by the
//     time it is read. Whoever deletes takes a fresh [Listing] of its own.
package inventory
