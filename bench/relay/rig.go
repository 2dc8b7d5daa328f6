package relay

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// The rig's addresses. Containers is how many there are; each has quiet more
// addresses, to stand for as many others.
const (
	containers = 4
	quiet      = 16
	gateway    = "172.17.0.1"
	// port is where a relay listens, redirected the one that a rule sends on to
	// the receiver: with a port of its own no old conntrack entry is in the way.
	port       = 8125
	redirected = 8126
	receiver   = "127.0.0.1:8125"
)

// entry is where relays listen.
func entry() netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(gateway), port) }

// A Rig is a host with containers behind docker0.
type Rig struct {
	host  *os.File
	boxes []*os.File
	dir   string // for sockets, configurations and peers' programs
	self  string // this program, for the processes that are its own
	peers peers

	profiles string // folder for CPU profiles of our relay; empty: none is taken
}

// Build makes a rig, with its files in dir.
func Build(ctx context.Context, dir string) (*Rig, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r := &Rig{dir: dir, self: self}
	if r.host, err = makeSpace(); err != nil {
		return nil, err
	}
	for range containers {
		box, err := makeSpace()
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		r.boxes = append(r.boxes, box)
	}
	if err := r.connect(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close lets the namespaces go.
func (r *Rig) Close() error {
	err := r.host.Close()
	for _, box := range r.boxes {
		err = errors.Join(err, box.Close())
	}
	return err
}

// connect makes the bridge, the containers' links and Docker's rules.
func (r *Rig) connect(ctx context.Context) error {
	var host strings.Builder
	fmt.Fprintf(&host, `set -e
PATH=$PATH:/usr/sbin:/sbin
ip link set lo up
ip link add docker0 type bridge
ip address add %[1]s/16 dev docker0
ip link set docker0 up
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv4/conf/docker0/route_localnet
iptables -t nat -N DOCKER
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
iptables -t nat -A DOCKER -i docker0 -p udp --dport %[2]d -j DNAT --to-destination %[3]s
`, gateway, redirected, receiver)
	for n := range r.boxes {
		fmt.Fprintf(&host, "ip link add veth%[1]d type veth peer name eth0 netns /proc/self/fd/%[2]d\nip link set veth%[1]d master docker0 up\n", n, n+4)
	}
	if err := r.script(ctx, r.host, r.boxes, host.String()); err != nil {
		return fmt.Errorf("make docker0: %w", err)
	}
	for n, box := range r.boxes {
		var b strings.Builder
		b.WriteString("set -e\nPATH=$PATH:/usr/sbin:/sbin\nip link set lo up\nip link set eth0 up\n")
		for m := range quiet {
			fmt.Fprintf(&b, "ip address add %s/16 dev eth0\n", address(n, m))
		}
		if err := r.script(ctx, box, nil, b.String()); err != nil {
			return fmt.Errorf("connect container %d: %w", n, err)
		}
	}
	return nil
}

// address is the m-th of a container: one after the other, as Docker gives them.
func address(container, m int) string {
	return fmt.Sprintf("172.17.0.%d", 2+container+containers*m)
}

func (r *Rig) script(ctx context.Context, space *os.File, further []*os.File, text string) error {
	cmd := inside(ctx, space, further, "sh", "-c", text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
