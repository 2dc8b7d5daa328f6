package logs

import (
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/beneath"
)

// ScanProcesses is the second witness.
func ScanProcesses(proc string) (map[inventory.ID]int, error) { return scanProcesses(proc) }

// OpenFiles returns which of the inodes' names processes have open, by whom.
func OpenFiles(proc string, inodes map[beneath.Inode]string) (map[string]int, int) {
	open, hidden := openFiles(proc, inodes)
	pids := map[string]int{}
	for name, o := range open {
		pids[name] = o.pid
	}
	return pids, hidden
}
