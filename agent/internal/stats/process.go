package stats

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process returns the CPU time this process has used, user and system, and
// its resident memory in bytes. What cannot be read is zero.
func Process() (cpu time.Duration, rss int64) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err == nil {
		cpu = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return cpu, 0
	}
	if fields := strings.Fields(string(statm)); len(fields) > 1 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		rss = pages * int64(os.Getpagesize())
	}
	return cpu, rss
}
