package agent

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// limits is what this process lacks the rights to do, each with its cure after
// the first colon.
func (a *Agent) limits(g *generation) []string {
	all := append([]string{}, a.limited...)
	if err := closed(g.watcher.Client.Socket()); err != nil {
		all = append(all, err.Error())
	}
	if n := g.sweeper.Stats().Hidden; n > 0 {
		all = append(all, fmt.Sprintf("the open files of %d processes cannot be seen, so a folder that one of them "+
			"has open counts as quiet after the grace time: run as root or with CAP_SYS_PTRACE to see them", n))
	}
	if a.relay != nil {
		all = append(all, g.relayer.limits(a.relay.Stats())...)
	}
	return all
}

// closed says whether Docker's socket is there and not for us.
func closed(socket string) error {
	err := unix.Faccessat(unix.AT_FDCWD, socket, unix.R_OK|unix.W_OK, unix.AT_EACCESS)
	if !errors.Is(err, unix.EACCES) {
		return nil
	}
	return fmt.Errorf("%s is closed to uid %d, so no container is seen and nothing is deleted: "+
		"run as root, or add the user to the group that owns the socket", socket, os.Geteuid())
}
