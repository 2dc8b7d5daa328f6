// Package beneath opens what lies beneath a pinned folder without following
// anything on the way: no symbolic link, no magic link, no "..", no mount.
//
// A [Root] is opened once and remembered by device, inode and mount. From it
// every step is one component wide: a [Dir] opens a child by openat2 with
// RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS and NO_XDEV, and acts on names in
// itself by its own descriptor. No path with a slash reaches the kernel, so
// whoever can write below the root can make a step fail but cannot send it
// elsewhere. (The one exception is /proc/self/fdinfo, on kernels that have no
// other word for a descriptor's mount.)
//
// The standard library's os.Root is not enough here: it follows symbolic links
// that stay inside the root, and it crosses mounts.
//
// # Invariants
//
//   - J4 (never leave the root): see above. Kernels without openat2 (before
//     5.6, or behind a seccomp filter) get the same by openat with O_NOFOLLOW
//     and a comparison of mount IDs; where neither works, nothing is opened
//     ([ErrUnsupported]).
//   - What others fill is read in bounded memory and with a bounded number of
//     descriptors, however large or deep they make it.
package beneath
