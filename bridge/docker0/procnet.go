package docker0

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// sockets lists the UDP sockets of the calling thread's network namespace,
// without processes. /proc/net would be the main thread's, which need not be
// the same. A kernel without IPv6 has no udp6.
func sockets() ([]Owner, error) {
	var all []Owner
	for _, name := range []string{"udp", "udp6"} {
		path := "/proc/thread-self/net/" + name
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && name == "udp6" {
			continue
		}
		if err != nil {
			return nil, err
		}
		found, err := parseSockets(string(text))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// parseSockets reads a table of /proc/net. Its columns: slot, local address,
// remote address, state, two queues, two timers, retransmits, uid, timeout,
// inode, and more that differ by kernel.
func parseSockets(text string) ([]Owner, error) {
	var found []Owner
	for n, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if n == 0 || len(f) == 0 {
			continue
		}
		if len(f) < 10 {
			return nil, fmt.Errorf("line %d has %d columns", n+1, len(f))
		}
		at, err := parseHex(f[1])
		uid, errUID := strconv.ParseUint(f[7], 10, 32)
		inode, errInode := strconv.ParseUint(f[9], 10, 64)
		if err := errors.Join(err, errUID, errInode); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		found = append(found, Owner{Address: at, UID: uint32(uid), Inode: inode})
	}
	return found, nil
}

// parseHex reads "0100007F:1FBD": the address in words of the machine's own
// byte order, the port as one writes it.
func parseHex(s string) (netip.AddrPort, error) {
	addr, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(addr)
	if err != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", s)
	}
	p, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q has no port", s)
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	a, _ := netip.AddrFromSlice(b) // of the right length
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), nil
}
