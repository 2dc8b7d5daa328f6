package relay

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ran is how long all threads of a process have run.
func ran(pid int) time.Duration {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	var total time.Duration
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(b), " ")
		ns, _ := strconv.ParseInt(first, 10, 64)
		total += time.Duration(ns)
	}
	return total
}

// softirqs are the kernel's threads that take on a receiver's network work
// where the sender's thread has had its share: of the whole machine.
func softirqs() (pids []int) {
	names, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, name := range names {
		comm, _ := os.ReadFile(name)
		if strings.HasPrefix(string(comm), "ksoftirqd/") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// resident is a process's VmRSS, in bytes.
func resident(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kib, _ := strconv.ParseInt(f[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// listens reports whether a process's namespace has a UDP socket on an address.
func listens(pid int, address netip.AddrPort) bool {
	a := address.Addr().As4()
	table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", pid))
	return strings.Contains(string(table), fmt.Sprintf("%02X%02X%02X%02X:%04X ", a[3], a[2], a[1], a[0], address.Port()))
}

// strayed is how many packets the kernel has dropped between two devices,
// since its queue was full: before any relay's socket. It is the whole
// machine's, where hardly anything else comes near that.
func strayed() (n int64) {
	table, _ := os.ReadFile("/proc/net/softnet_stat")
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 1 {
			dropped, _ := strconv.ParseInt(f[1], 16, 64)
			n += dropped
		}
	}
	return n
}
