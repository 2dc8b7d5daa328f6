package beneath_test

import (
	"errors"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
)

// onThread runs f on a thread of its own, which ends with it: what f does to
// the thread stays there.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		f()
	}()
	<-done
}

// without runs f with capabilities taken away.
func without(t *testing.T, caps []int, f func()) {
	t.Helper()
	onThread(func() {
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
	})
}

// filtered runs f where system calls fail with an error, as behind the seccomp
// filter of a container runtime.
func filtered(t *testing.T, errno unix.Errno, f func(), calls ...uint32) {
	t.Helper()
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}}
	for _, nr := range calls {
		filter = append(filter,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: nr},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	onThread(func() {
		err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0)
		if err != nil {
			t.Error(err)
			return
		}
		f()
	})
}

func TestAKernelWithoutOpenat2IsServedByMountIDs(t *testing.T) {
	path := tempDir(t)
	mkdir(t, path, "a", "b")
	mount(t, path, mkdir(t, path, "a", "mounted"), "", unix.MS_BIND)
	for name, errno := range map[string]unix.Errno{"missing": unix.ENOSYS, "filtered": unix.EPERM} {
		t.Run(name, func(t *testing.T) {
			filtered(t, errno, func() {
				root, err := beneath.Open(path)
				if err != nil {
					t.Error(err)
					return
				}
				defer root.Close()
				if got := beneath.WayOf(root); got != "mount id by statx" {
					t.Errorf("the way is %q", got)
				}
				d, err := root.OpenDir("a/b")
				if err != nil {
					t.Error(err)
				} else {
					d.Close()
				}
				if _, err := root.OpenDir("a/mounted"); !errors.Is(err, beneath.ErrMount) {
					t.Errorf("a mount: %v, want ErrMount", err)
				}
				if err := root.Writable(); err != nil {
					t.Errorf("Writable() = %v", err)
				}
			}, unix.SYS_OPENAT2, unix.SYS_FACCESSAT2)
		})
	}
}
