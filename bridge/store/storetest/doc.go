// Package storetest is the contract of the central store as tests: every
// engine passes them all.
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, storetest.Engine{Open: open, TTL: time.Second})
//	}
//
// They cover publishing, listing and watching, expiry (P1), restarts of the
// agent and of the store (P2), fencing, withdrawal, lost sessions, readers that
// are slow, late or gone, and many sessions at once.
package storetest
