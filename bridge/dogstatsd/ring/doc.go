// Package ring is a queue of records of bounded size in memory that can outlive
// the process: it lies in a memfd, and whoever is handed that file goes on
// where its predecessor stopped, even one that was killed.
//
//	r, err := ring.New(32 << 20)
//	for !r.Push(head, body) {
//		old := r.Peek(nil, 1) // counted as lost
//		r.Drop(1)
//	}
//
// A ring has one user at a time. Memory is taken as records come, and given
// back when the last one has left.
package ring
