package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// peerKey is where a connection's context keeps its [Peer].
type peerKey struct{}

// peerOf returns who made the request that ctx belongs to.
func peerOf(ctx context.Context) Peer {
	if p, ok := ctx.Value(peerKey{}).(Peer); ok {
		return p
	}
	return Peer{UID: -1}
}

// readPeer asks the kernel who connected, once per connection: the answer is
// of the moment of connect and cannot be changed by the peer afterwards. An
// error leaves a peer that may read and nothing else.
func readPeer(c net.Conn, proc string) (Peer, error) {
	unknown := Peer{UID: -1, Hidden: "the connection does not say who is at its other end"}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return unknown, nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return unknown, fmt.Errorf("read peer: %w", err)
	}
	var cred *unix.Ucred
	var groups []int
	var credErr, groupsErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		groups, groupsErr = peerGroups(fd)
	}); err != nil {
		return unknown, fmt.Errorf("read peer: %w", err)
	}
	if credErr != nil {
		return unknown, fmt.Errorf("read peer: %w", credErr)
	}
	p := Peer{PID: int(cred.Pid), UID: int(cred.Uid), Groups: []int{int(cred.Gid)}}
	p.Groups = append(p.Groups, slices.DeleteFunc(groups, func(g int) bool { return g == int(cred.Gid) })...)
	if p.Container, err = containerOf(proc, p.PID); err != nil {
		p.Hidden = err.Error()
	}
	if groupsErr != nil {
		return p, fmt.Errorf("read groups of peer: %w", groupsErr)
	}
	return p, nil
}

// peerGroups reads the peer's supplementary groups, which SO_PEERCRED lacks
// and x/sys has no call for.
func peerGroups(fd uintptr) ([]int, error) {
	ids := make([]uint32, 64)
	for {
		size := uint32(len(ids) * 4)
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&ids[0])), uintptr(unsafe.Pointer(&size)), 0)
		if errors.Is(errno, unix.ERANGE) && int(size) > len(ids)*4 {
			ids = make([]uint32, size/4)
			continue
		}
		if errno != 0 {
			return nil, errno
		}
		groups := make([]int, 0, size/4)
		for _, id := range ids[:size/4] {
			groups = append(groups, int(id))
		}
		return groups, nil
	}
}

// containerOf returns the ID of the container that a process lives in, as its
// control groups name it; empty for one of the host's own.
func containerOf(proc string, pid int) (string, error) {
	if pid <= 0 {
		return "", errors.New("the peer's process is not visible from here")
	}
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return "", fmt.Errorf("read control groups of peer: %w", err)
	}
	ids := regexp.MustCompile(`\b[0-9a-f]{64}\b`).FindAllString(string(text), -1)
	if len(ids) == 0 {
		return "", nil
	}
	return ids[len(ids)-1], nil
}
