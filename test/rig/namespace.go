package rig

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Inside calls f in the network namespace of the machine: what f opens there
// stays there.
func (m *Machine) Inside(t testing.TB, f func()) {
	t.Helper()
	if err := inside(m.pid, f); err != nil {
		t.Fatal(err)
	}
}

// InsideOf does the same in the network namespace of a process.
func InsideOf(t testing.TB, pid int, f func()) {
	t.Helper()
	if err := inside(pid, f); err != nil {
		t.Fatal(err)
	}
}

func inside(pid int, f func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	there, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the network of process %d: %w", pid, err)
	}
	f()
	return unix.Setns(int(home.Fd()), unix.CLONE_NEWNET)
}
