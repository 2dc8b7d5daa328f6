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

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/beneath"
)

// scanProcesses is the second witness (J3): which containers the process table
// knows, whatever Docker says. It reads the cgroups of every process and the
// command lines of containerd's shims. The value is one of the process IDs.
// A process that ends meanwhile is no error; one that may not be looked at is.
func scanProcesses(proc string) (map[inventory.ID]int, error) {
	t, err := openTable(proc)
	if err != nil {
		return nil, err
	}
	defer t.dir.Close()
	found := map[inventory.ID]int{}
	for _, pid := range t.pids {
		cgroup, err := t.read(pid, "cgroup")
		if ended(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("process %d hides its cgroup: %w", pid, err)
		}
		note(found, pid, cgroup, "/:-.\n")
		comm, err := t.read(pid, "comm")
		if err != nil || !bytes.HasPrefix(comm, []byte("containerd-shim")) && !bytes.HasPrefix(comm, []byte("docker-containe")) {
			continue
		}
		cmdline, err := t.read(pid, "cmdline")
		if err != nil && !ended(err) {
			return nil, fmt.Errorf("process %d hides its command line: %w", pid, err)
		}
		note(found, pid, cmdline, "\x00/=")
	}
	return found, nil
}

// note adds every part of text between separators that has the form of a
// container's ID: a run of as many digits, with nothing else at its ends.
func note(found map[inventory.ID]int, pid int, text []byte, separators string) {
	ends := func(i int) bool { return i < 0 || i >= len(text) || strings.IndexByte(separators, text[i]) >= 0 }
	for start, end := 0, 0; start < len(text); start = end + 1 {
		end = start
		for end < len(text) && isDigit(text[end]) {
			end++
		}
		if end-start != inventory.IDLen || !ends(start-1) || !ends(end) {
			continue
		}
		if part := text[start:end]; found[inventory.ID(part)] == 0 {
			found[inventory.ID(part)] = pid
		}
	}
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' }

// A table is a process table that is open. Its files are read one after the
// other into one buffer: [os.ReadFile] costs three times what the kernel does,
// and on a host full of containers this scan is most of a sweep.
type table struct {
	dir  *os.File
	pids []int // in order
	text []byte
}

// openTable opens a process table that shows every process.
func openTable(proc string) (*table, error) {
	dir, err := os.Open(proc)
	if err != nil {
		return nil, fmt.Errorf("read the process table: %w", err)
	}
	t := &table{dir: dir, text: make([]byte, 0, 4096)}
	names, err := dir.Readdirnames(-1)
	if err != nil {
		dir.Close()
		return nil, fmt.Errorf("read the process table: %w", err)
	}
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			t.pids = append(t.pids, pid)
		}
	}
	if slices.Sort(t.pids); !slices.Contains(t.pids, 1) {
		dir.Close()
		return nil, fmt.Errorf("read the process table: %s does not show process 1: is it mounted with hidepid?", proc)
	}
	return t, nil
}

// read returns a file of a process. The bytes are good until the next call. A
// read that leaves room in the buffer has come to the end: /proc gives all it
// has at once.
func (t *table) read(pid int, name string) ([]byte, error) {
	fd, err := unix.Openat(int(t.dir.Fd()), strconv.Itoa(pid)+"/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for t.text = t.text[:0]; ; t.text = slices.Grow(t.text, cap(t.text)) {
		n, err := unix.Read(fd, t.text[len(t.text):cap(t.text)])
		for errors.Is(err, unix.EINTR) {
			n, err = unix.Read(fd, t.text[len(t.text):cap(t.text)])
		}
		if err != nil {
			return nil, err
		}
		if t.text = t.text[:len(t.text)+n]; len(t.text) < cap(t.text) {
			return t.text, nil
		}
	}
}

func ended(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH)
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
	t, err := openTable(proc)
	if err != nil {
		return open, 1
	}
	defer t.dir.Close()
	for _, pid := range t.pids {
		dir := filepath.Join(proc, strconv.Itoa(pid), "fd")
		fds, err := os.ReadDir(dir)
		if err != nil {
			if !ended(err) {
				hidden++
			}
			continue
		}
		for _, fd := range fds {
			var st unix.Stat_t
			if unix.Stat(filepath.Join(dir, fd.Name()), &st) != nil {
				continue
			}
			if folder, ok := inodes[beneath.Inode{Dev: st.Dev, Ino: st.Ino}]; ok {
				comm, _ := t.read(pid, "comm")
				open[folder] = opener{pid, string(bytes.TrimSpace(comm))}
			}
		}
	}
	return open, hidden
}
