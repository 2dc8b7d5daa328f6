package dogstatsd

import (
	"math"

	"golang.org/x/sys/unix"
)

// Classic BPF reads a packet's own headers at offsets from here, and what the
// kernel knows of it at others (linux/filter.h).
const (
	netOffset     = math.MaxUint32 - 0x100000 + 1 // SKF_NET_OFF: the IP header
	factOffset    = math.MaxUint32 - 0x1000 + 1   // SKF_AD_OFF
	ifindexOffset = factOffset + 8                // SKF_AD_IFINDEX
)

// bySource is the program that chooses among sockets of one address: whoever
// floods fills the queue that its own source address leads to. It returns the
// socket's number.
func bySource(v6 bool, sockets int) []unix.SockFilter {
	source := uint32(netOffset + 12) // of the IPv4 header
	if v6 {
		source = netOffset + 8 + 12 // the last four of sixteen bytes
	}
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: source},
		{Code: unix.BPF_ALU | unix.BPF_MOD | unix.BPF_K, K: uint32(sockets)},
		{Code: unix.BPF_RET | unix.BPF_A},
	}
}

// loopback is the index of lo in every network namespace.
const loopback = 1

// cameBy is the program that lets in what came by one of these interfaces, or
// from this host itself. Linux takes a packet for a local address on any of
// them.
func cameBy(interfaces []int) []unix.SockFilter {
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: ifindexOffset}}
	all := append([]int{loopback}, interfaces...)
	for i, index := range all {
		toAccept := uint8(len(all) - i) // over the other comparisons and the refusal
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: toAccept, K: uint32(index)})
	}
	return append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: math.MaxUint32},
	)
}

// mostInterfaces is how many a program can tell apart with its short jumps.
const mostInterfaces = 200

func attach(fd, option int, program []unix.SockFilter) error {
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, option, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}
