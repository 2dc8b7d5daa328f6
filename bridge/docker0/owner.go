package docker0

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// An Owner is who holds a UDP port that we cannot have.
type Owner struct {
	PID     int    // 0: in another PID namespace, or its open files are not for us to see
	Comm    string // its name, as ps shows it; empty with the PID
	Inode   uint64 // of its socket
	UID     uint32 // who made the socket
	Address netip.AddrPort
}

// String is a clause about the owner: "dogstatsd (process 812) on 0.0.0.0:8125".
func (o Owner) String() string {
	if o.PID == 0 {
		return fmt.Sprintf("a process of uid %d on %s", o.UID, o.Address)
	}
	return fmt.Sprintf("%s (process %d) on %s", o.Comm, o.PID, o.Address)
}

// ErrNoOwner is returned if no socket of this network namespace stands in the
// way of an address.
var ErrNoOwner = errors.New("no socket has the port")

// FindOwner says who holds a UDP port on an address: there itself, or on all
// addresses. It asks /proc once, and is for the moment of an EADDRINUSE.
func FindOwner(at netip.AddrPort) (Owner, error) {
	held, err := sockets()
	if err != nil {
		return Owner{}, fmt.Errorf("find owner of %s: %w", at, err)
	}
	o, found := choose(held, at)
	if !found {
		return Owner{}, fmt.Errorf("find owner of %s: %w", at, ErrNoOwner)
	}
	o.PID = holder(o.Inode)
	if o.PID != 0 {
		comm, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(o.PID), "comm")) // empty: it has just ended
		o.Comm = strings.TrimSpace(string(comm))
	}
	return o, nil
}

// choose takes the socket on the address itself, else one on all addresses:
// that of the same family first. One on [::] has IPv4 too, unless its process
// has asked for IPv6 only, which nothing in /proc tells.
func choose(held []Owner, at netip.AddrPort) (Owner, bool) {
	addr := at.Addr().Unmap()
	wildcards := []netip.Addr{netip.IPv6Unspecified()}
	if addr.Is4() {
		wildcards = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	for _, want := range append([]netip.Addr{addr}, wildcards...) {
		for _, o := range held {
			if o.Address == netip.AddrPortFrom(want, at.Port()) {
				return o, true
			}
		}
	}
	// To have all addresses, each single one stands in the way.
	for _, o := range held {
		if addr.IsUnspecified() && o.Address.Port() == at.Port() && (addr.Is6() || o.Address.Addr().Is4()) {
			return o, true
		}
	}
	return Owner{}, false
}

// holder finds the process that has a socket open; 0 if none can be seen. Of
// several that share it the lowest, which most often is the parent, is named.
func holder(inode uint64) int {
	want := fmt.Sprintf("socket:[%d]", inode)
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is well-formed
	lowest := 0
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != want {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(link))))
		if err == nil && (lowest == 0 || pid < lowest) {
			lowest = pid
		}
	}
	return lowest
}
