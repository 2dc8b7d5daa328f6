package kernel

import (
	"sync"
	"sync/atomic"
)

// A Call is a system call that is about to be made.
type Call struct {
	Name string // of the system call: "renameat2"
	Fd   int    // what it is made on; AT_FDCWD where Path is absolute
	Path string // the name below Fd, or an absolute path; empty: Fd itself
	Data []byte // what a write writes
}

// A Hook is given a call and what makes it, and returns what the caller gets.
// It may be called from several goroutines at once.
type Hook func(c Call, do func() error) error

// hook is nil but in tests, and there is one of it for the whole process: the
// calls are made far below what a test holds in its hands.
var hook atomic.Pointer[Hook] //nolint:gochecknoglobals // set by Intercept alone, which needs a test

// A Test is a *testing.T or *testing.B, the only things that can set a hook.
type Test interface {
	Helper()
	Fatal(args ...any)
	Cleanup(f func())
}

// Intercept has all calls go through a hook until stop is called or the test
// ends. There is one at a time.
func Intercept(t Test, h Hook) (stop func()) {
	t.Helper()
	if !hook.CompareAndSwap(nil, &h) {
		t.Fatal("another hook is set")
	}
	stop = sync.OnceFunc(func() { hook.Store(nil) })
	t.Cleanup(stop)
	return stop
}
