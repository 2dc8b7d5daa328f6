package tombstone_test

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// without runs f on a thread of its own, which has lost capabilities and ends
// with f.
func without(t *testing.T, caps []int, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		if err := unix.Capget(&head, &data[0]); err != nil {
			t.Error(err)
			return
		}
		for _, c := range caps {
			data[c/32].Effective &^= 1 << (c % 32)
		}
		if err := unix.Capset(&head, &data[0]); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}
