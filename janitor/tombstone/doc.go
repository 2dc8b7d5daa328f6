// Package tombstone takes folders out of their containers' reach, keeps them
// restorable for a while, and then deletes them.
//
// Each log root has a [Yard]: <root>/.berth, a folder on the same mount that
// only the daemon may enter. A folder to be deleted is first renamed into it
// ([Yard.Bury]), which is atomic, needs no space and keeps its inode. Whoever
// decided so looks again and then either confirms ([Yard.Confirm]) or puts it
// back ([Yard.Restore]). Only what is confirmed can be deleted ([Yard.Purge]).
//
// A journal beside the stones is written before each rename, so that
// [Yard.Recover] can finish or roll back whatever a crash has cut short. What
// takes a folder away, or deletes it, is synced before; what brings one back need
// not be, and that something is done is not: it shows in where the folder is. Room for
// all is set aside when the yard is made, because what fills a disk must be
// deleted when the disk is full.
//
// # Invariants
//
//   - J4 (never leave the root): every step goes by package beneath, or acts on
//     one name in a folder that was opened by it. A purge follows nothing,
//     crosses no mount, changes no mode, owner or content, and holds a bounded
//     number of descriptors: what lies too deep is moved up into the yard.
//   - J5 (rename, verify, delete): what arrives in the yard is compared with
//     what was meant, device, inode and birth, and goes back if it is another;
//     a stone that is not confirmed is never deleted, and a crash puts it back.
//     What cannot go back is kept and reported, as an orphan.
package tombstone
