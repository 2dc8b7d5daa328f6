package docker

import (
	"bytes"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// engineName is the command name of the Engine's process.
const engineName = "dockerd"

// ticks is the unit of process times in /proc, per second. The kernel shows
// them to user space in this unit on every architecture (USER_HZ).
const ticks = 100

// engineStarted returns when the Engine's process started: the process that
// listens on the socket if that is dockerd, else the youngest dockerd, as when
// systemd holds the socket. Zero if there is none or /proc does not tell.
func engineStarted(socket string) time.Time {
	boot := bootTime()
	if boot.IsZero() {
		return time.Time{}
	}
	if start, ok := processStart(peerOf(socket), engineName); ok {
		return boot.Add(start)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return time.Time{}
	}
	var youngest time.Time
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if start, ok := processStart(pid, engineName); ok && boot.Add(start).After(youngest) {
			youngest = boot.Add(start)
		}
	}
	return youngest
}

// peerOf returns the process that began to listen on a unix socket; 0 if that
// cannot be learned.
func peerOf(socket string) int {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return 0
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0
	}
	pid := 0
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})
	return pid
}

// processStart returns how long after boot a process started, if it has this
// command name.
func processStart(pid int, comm string) (time.Duration, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	return parseStat(stat, comm)
}

// parseStat reads /proc/<pid>/stat: pid, (comm), state and so on; field 22 is
// the start in ticks since boot. comm may hold spaces and parentheses.
func parseStat(stat []byte, comm string) (time.Duration, bool) {
	first, last := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if first < 0 || last < first || string(stat[first+1:last]) != comm {
		return 0, false
	}
	fields := strings.Fields(string(stat[last+1:])) // from field 3 on
	if len(fields) < 20 {
		return 0, false
	}
	n, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	return time.Duration(n) * (time.Second / ticks), true
}

// bootTime is when the machine started, to the second; zero if unknown.
func bootTime() time.Time {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(stat)) {
		if rest, ok := strings.CutPrefix(line, "btime "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64); err == nil {
				return time.Unix(n, 0)
			}
		}
	}
	return time.Time{}
}
