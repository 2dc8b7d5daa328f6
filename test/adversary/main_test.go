package adversary_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

var (
	swaps = flag.Int64("swaps", 20_000, "hostile acts in all")
	seed  = flag.Uint64("seed", 0, "of all randomness; 0: another one each time")
	where = flag.String("where", "", "folder on the file system to fight on; empty: memory")
)

// TestMain goes on in a mount namespace of its own: what the tests mount is
// seen by nobody else, and ends with them.
func TestMain(m *testing.M) {
	const inside = "ADVERSARY_NAMESPACE"
	if os.Getenv(inside) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			fmt.Fprintln(os.Stderr, "make mounts private:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	self := exec.Command("/proc/self/exe", os.Args[1:]...)
	self.Env = append(os.Environ(), inside+"=1")
	self.Stdin, self.Stdout, self.Stderr = os.Stdin, os.Stdout, os.Stderr
	self.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := self.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "in a mount namespace of its own (this takes root):", err)
		os.Exit(1)
	}
}

// mounted returns a mount that somebody made; empty: there is none.
func (w *world) mounted() string {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && strings.HasPrefix(fields[4], w.dir+"/") {
			return fields[4]
		}
	}
	return ""
}
