package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of process times in /proc, on every architecture (USER_HZ).
const tick = 10 * time.Millisecond

// startOf is when a process was made, by the clock as it is now; zero if that
// cannot be seen. /proc rounds down, so a tick is added: the time is never
// before the truth, and a container's first process takes longer than that to
// set itself up.
func startOf(proc string, pid int) time.Time {
	stat, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return time.Time{}
	}
	since, ok := parseStart(stat)
	var up unix.Timespec
	if !ok || unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
		return time.Time{}
	}
	return time.Now().Round(0).Add(since + tick - time.Duration(up.Nano()))
}

// parseStart reads field 22 of /proc/<pid>/stat: pid, (comm), state and so on.
// comm may hold spaces and parentheses.
func parseStart(stat []byte) (sinceBoot time.Duration, ok bool) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // from field 3 on
	if len(fields) < 20 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(fields[19]), 10, 64)
	if err != nil || n < 0 || n > int64(100*365*24*time.Hour/tick) {
		return 0, false
	}
	return time.Duration(n) * tick, true
}
