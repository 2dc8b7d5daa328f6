package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/beneath"
)

// scanProcesses is the second witness (J3): which containers the process table
// knows, whatever Docker says. It reads the cgroups of every process and the
// command lines of containerd's shims. The value is one of the process IDs.
// A process that ends meanwhile is no error; one that may not be looked at is.
func scanProcesses(proc string) (map[inventory.ID]int, error) {
	pids, err := processes(proc)
	if err != nil {
		return nil, err
	}
	found := map[inventory.ID]int{}
	for _, pid := range pids {
		dir := filepath.Join(proc, strconv.Itoa(pid))
		cgroup, err := os.ReadFile(filepath.Join(dir, "cgroup"))
		if ended(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("process %d hides its cgroup: %w", pid, err)
		}
		note(found, pid, cgroup, "/:-.\n")
		comm, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil || !bytes.HasPrefix(comm, []byte("containerd-shim")) && !bytes.HasPrefix(comm, []byte("docker-containe")) {
			continue
		}
		cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil && !ended(err) {
			return nil, fmt.Errorf("process %d hides its command line: %w", pid, err)
		}
		note(found, pid, cmdline, "\x00/=")
	}
	return found, nil
}

// note adds every part of text that has the form of a container's ID.
func note(found map[inventory.ID]int, pid int, text []byte, separators string) {
	for part := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if id := inventory.ID(part); id.Valid() {
			found[id] = pid
		}
	}
}

func processes(proc string) ([]int, error) {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, fmt.Errorf("read the process table: %w", err)
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	if !slices.Contains(pids, 1) {
		return nil, fmt.Errorf("read the process table: %s does not show process 1: is it mounted with hidepid?", proc)
	}
	return pids, nil
}

func ended(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// An opener is a process that has a file open.
type opener struct {
	pid  int
	name string
}

// openFiles finds which of the inodes processes have open. Looking into
// another user's process takes CAP_SYS_PTRACE; hidden counts those that could
// not be looked into.
func openFiles(proc string, inodes map[beneath.Inode]string) (open map[string]opener, hidden int) {
	open = map[string]opener{}
	if len(inodes) == 0 {
		return open, 0
	}
	pids, err := processes(proc)
	if err != nil {
		return open, 1
	}
	for _, pid := range pids {
		dir := filepath.Join(proc, strconv.Itoa(pid), "fd")
		fds, err := os.ReadDir(dir)
		if err != nil {
			if !ended(err) {
				hidden++
			}
			continue
		}
		for _, fd := range fds {
			var st syscall.Stat_t
			if syscall.Stat(filepath.Join(dir, fd.Name()), &st) != nil {
				continue
			}
			if folder, ok := inodes[beneath.Inode{Dev: st.Dev, Ino: st.Ino}]; ok {
				open[folder] = opener{pid, comm(proc, pid)}
			}
		}
	}
	return open, hidden
}

func comm(proc string, pid int) string {
	b, _ := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "comm"))
	return strings.TrimSpace(string(b))
}
