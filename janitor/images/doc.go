// Package images removes images that will not be needed from the Engine's
// store, and, where that is wanted, stopped containers that ECS does not own,
// volumes that nobody named, and the build cache.
//
// As for log folders a sweep has two halves: [MakePlan] is a pure function from
// facts to a [Plan], and the [Sweeper] applies a plan and may only do less. On
// its schedule everything goes that was not used for long enough; when the disk
// is short of space, only as much as it takes, and first what is cheapest to be
// without: see order.go. How much removing a set of images frees is counted in
// layers, because a layer goes with the last image that has it.
//
// An image is not deleted under its name. It first gets a name of Berth's own,
// loses all others, and nobody can make a container from it by name any more.
// Only after a while, when whoever was quicker has become visible, that last
// name goes, and the Engine deletes the image with it. Who turns up before gets
// it back, names and all; and whoever pulls it meanwhile has it back at once,
// because its layers are still here. Who asks by ID is seen in the same way, but
// between that look and the deletion the Engine lets both succeed: that is found,
// is an alarm, and ends the sweep.
//
// # Invariants
//
//   - J2 (unknown is alive): a listing that failed or is partial, another data
//     root, an Engine that has just started: nothing is removed.
//   - J6 (plan equals apply): what goes is a subset of a plan that a dry run
//     prints byte for byte under the same hash, and each removal and refusal has
//     a record in the audit.
//   - J7 (an image in use stays): never by force; by the Engine's prune one
//     named record of the build cache and never an image; never below a container of any state, and not while one of its names, an
//     hour's youth or any floor of the policy speaks for it.
package images
