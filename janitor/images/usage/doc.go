// Package usage is the memory of images: when each came to this host, how long
// its pull took, when it was last used, by which services and how often. Docker
// knows none of that: it keeps when an image was built.
//
// The [Ledger] is told whole listings, of images and of containers, and notes
// what has changed since the last; it is told of pulls as they end. What it
// knows survives restarts of Berth and of Docker, and an image that is tagged
// anew keeps its memory, because that is kept by ID. It may run late and may
// miss a container that came and went between two listings; it never says that
// something was used longer ago than it was seen to be.
package usage
