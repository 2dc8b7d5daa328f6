package agent

import (
	"fmt"
	"os"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"
)

// takeHanded returns the files that systemd has handed to this process: those
// of a relay, which an earlier process has had it keep, by their names, and the
// others. It can be called once.
func takeHanded(ofRelay func(name string) bool) (relay map[string]*os.File, others []*os.File) {
	relay = map[string]*os.File{}
	for _, file := range activation.Files(true) {
		if ofRelay(file.Name()) {
			relay[file.Name()] = file
		} else {
			others = append(others, file)
		}
	}
	return relay, others
}

// A keeper has systemd keep descriptors over a restart (FileDescriptorStoreMax
// in the unit). They come back under their names.
type keeper struct {
	socket string // of systemd's notifications; empty: nobody keeps anything
}

func newKeeper() *keeper { return &keeper{os.Getenv("NOTIFY_SOCKET")} }

// keeps reports whether there is somebody to keep something.
func (k *keeper) keeps() bool { return k.socket != "" }

// keep hands a descriptor over. systemd polls it and forgets it when its other
// end has gone, which sockets and memory here do not have.
func (k *keeper) keep(name string, fd int) error {
	return k.say("FDSTORE=1\nFDPOLL=0\nFDNAME="+name, fd)
}

// unkeep takes all of a name back.
func (k *keeper) unkeep(name string) error {
	return k.say("FDSTOREREMOVE=1\nFDNAME=" + name)
}

// say sends a notification with descriptors, as sd_pid_notify_with_fds(3) does:
// go-systemd sends none with descriptors.
func (k *keeper) say(state string, fds ...int) error {
	if !k.keeps() {
		return nil
	}
	name, _, _ := strings.Cut(state, "=")
	s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("tell systemd %s: %w", name, err)
	}
	defer func() { _ = unix.Close(s) }()
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	if err := unix.Sendmsg(s, []byte(state), rights, &unix.SockaddrUnix{Name: k.socket}, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("tell systemd %s: %w", name, err)
	}
	return nil
}
