package relay

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// makeSpace makes a network namespace, which lives as long as the file is open
// somewhere or a process is in it.
func makeSpace() (space *os.File, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread, which is in the namespace, goes with the goroutine
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("make network namespace: %w", err)
			return
		}
		space, err = os.Open("/proc/thread-self/ns/net")
	}()
	<-done
	return space, err
}

// inside is a command that will run in a namespace, with further files from
// descriptor 4 on. It dies with this process.
func inside(ctx context.Context, space *os.File, further []*os.File, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--net=/proc/self/fd/3", "--"}, argv...)...)
	cmd.ExtraFiles = append([]*os.File{space}, further...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}
