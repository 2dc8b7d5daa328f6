package process

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/berth-dev/berth/collectors/inventory"
)

// memory is the controller whose folder dogstatsd clients name a container by
// where the host has version 1 of cgroups (datadog-go, statsd/container_linux.go).
const memory = "memory"

// foldersOf finds a container's cgroups in the text of /proc/<pid>/cgroup: the
// folder that carries its name, which may be above that of the process, by
// controller. It is empty if no line names the container. The controller of
// version 2 is empty.
func foldersOf(text string, id inventory.ID) map[string]string {
	folders := map[string]string{}
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		at := strings.Index(parts[2], string(id))
		if at < 0 {
			continue
		}
		end := strings.IndexByte(parts[2][at:], '/')
		if end < 0 {
			end = len(parts[2]) - at
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			folders[controller] = parts[2][:at+end]
		}
	}
	return folders
}

// inode is that of the folder by which a dogstatsd client in the container
// names it, and an agent on this host finds it; 0: it cannot be seen.
func inode(root string, folders map[string]string) uint64 {
	for _, controller := range []string{memory, ""} {
		folder, found := folders[controller]
		if !found {
			continue
		}
		info, err := os.Stat(filepath.Join(root, controller, folder))
		if err != nil {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			return stat.Ino
		}
	}
	return 0
}

// cgroup reads what the kernel says of a process's cgroups.
func cgroup(proc string, pid int) (string, error) {
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "cgroup"))
	return string(text), err
}
