package relay

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// input is the receive buffer that every relay asks for, in bytes.
const input = 4 << 20

// naive is the relay that anybody would write first, written well.
func naive() error {
	in, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(entry()))
	if err != nil {
		return err
	}
	if err := grow(in, input); err != nil {
		return err
	}
	out, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(receiver)))
	if err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for {
		n, _, err := in.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		_, _ = out.Write(buf[:n]) // refused while nobody receives: then it is lost
	}
}

// grow sets the size of a socket's receive buffer, past the host's limit.
func grow(conn *net.UDPConn, size int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) })
	if err != nil {
		return err
	}
	return set
}
