// Package logs deletes the log folders of containers that no longer exist, and
// nothing else.
//
// A folder is a candidate only if its name is 12 or 64 lower-case hexadecimal
// digits at the place that its root's [Pattern] gives. A sweep looks, plans and
// applies:
//
//	scan the folders → list Docker's containers → scan the processes →
//	look into the candidates → plan → bury → list and scan again →
//	confirm, or put back → purge when the undo window is over
//
// [MakePlan] is a pure function from facts to a [Plan]; dry runs, the socket
// and the tests stop there. The [Sweeper] applies a plan and may only do less.
//
// # Invariants
//
//   - J1 (folders first): the folders are scanned before the listing is asked
//     for, so a container that has a folder by then is in the listing.
//   - J2 (unknown is alive): an error, a deadline, a partial or shrunken listing,
//     another data root, an Engine or host that has just started, a process
//     table that cannot be read: the sweep ends with nothing deleted.
//   - J3 (two witnesses): dead is who is absent from Docker's list of all states
//     and from the cgroups and shims of the process table.
//   - J4 (never leave the root): folders are opened by package beneath alone.
//   - J5 (rename, verify, delete): folders go by way of package tombstone, with
//     a second listing and scan between the rename and the confirmation, and
//     a third before the purge.
//   - J6 (plan equals apply): what goes is a subset of a plan whose text is what
//     a dry run prints, under the same hash.
package logs
