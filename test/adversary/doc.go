// Package adversary sets hostile tenants on the log janitor: they exchange
// folders for links and for their living neighbours, mount over what is being
// deleted, rename what lies above it, dig trees of any depth, and never stop
// writing, all while it sweeps. Canaries outside the root and in every living
// folder tell whether anything but the dead was touched.
//
//	go test ./test/adversary                                    # as CI runs it
//	go test ./test/adversary -v -swaps 1000000 -timeout 6h       # the long form
//
// The file system, the sweeper and its journals are real; the Engine's list is
// a map, so that thousands of containers can come and go. It needs root, and
// runs in a mount namespace of its own. That the canaries can die is shown by
// the same attacks on a deleter that follows paths.
//
// # What is proved here
//
//   - J4: nothing outside the root is deleted, whatever becomes of the names
//     in it meanwhile.
//   - J5: a living folder that is exchanged for a dead one comes back.
package adversary
