package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// cross finds values that are right alone and wrong together. Keys that have a
// fault already are not judged again.
func (d *decoder) cross(c Config) {
	d.crossDisk(c.Disk)
	d.crossRoots(c)
	d.crossRelay(c.Relay)
	if d.sound("docker.socket", "api.socket") && c.Docker.Socket == c.API.Socket {
		d.against([]string{"api.socket", "docker.socket"}, "api.socket and docker.socket are the same path")
	}
}

// sound reports whether none of the keys, nor a section they are in, has a
// fault.
func (d *decoder) sound(keys ...string) bool {
	return !slices.ContainsFunc(keys, func(k string) bool {
		section, _, _ := strings.Cut(k, ".")
		return d.bad[k] || d.bad[section]
	})
}

// against notes a contradiction between keys, at the first of them that was
// given and is no default.
func (d *decoder) against(paths []string, format string, args ...any) {
	for _, p := range paths {
		if o, given := d.origins[p]; given {
			d.add(o.fault(p, "", format, args...))
			return
		}
	}
	d.add(origin{file: "defaults"}.fault(paths[0], "", format, args...))
}

func (d *decoder) crossDisk(c Disk) {
	if d.sound("disk.low", "disk.high") && c.Low >= c.High {
		d.against([]string{"disk.low", "disk.high"}, "disk.low (%d) must be below disk.high (%d)", c.Low, c.High)
	}
	if d.sound("disk.high", "disk.emergency") && c.High >= c.Emergency {
		d.against([]string{"disk.high", "disk.emergency"}, "disk.high (%d) must be below disk.emergency (%d)", c.High, c.Emergency)
	}
}

// crossRoots keeps log roots apart from each other and from folders that must
// not be swept.
func (d *decoder) crossRoots(c Config) {
	if !d.sound("logs.roots") {
		return
	}
	for i, root := range c.Logs.Roots {
		at := fmt.Sprintf("logs.roots[%d].path", i)
		paths := []string{at, "logs.roots"}
		for _, other := range c.Logs.Roots[:i] {
			switch {
			case other.Path == root.Path:
				d.against(paths, "%s is given twice", quote(root.Path))
			case inside(root.Path, other.Path):
				d.against(paths, "%s is inside the log root %s", quote(root.Path), quote(other.Path))
			case inside(other.Path, root.Path):
				d.against(paths, "the log root %s is inside %s", quote(other.Path), quote(root.Path))
			}
		}
		d.crossFolder(root.Path, "logs.archive", c.Logs.Archive)
		d.crossFolder(root.Path, "state_dir", c.StateDir)
	}
}

// crossFolder keeps a folder of the agent's own out of a log root.
func (d *decoder) crossFolder(root, name, folder string) {
	if d.sound(name) && (folder == root || inside(folder, root)) {
		d.against([]string{name, "logs.roots"}, "%s %s is in the log root %s", name, quote(folder), quote(root))
	}
}

// inside reports whether a clean path is below another.
func inside(path, folder string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}

// crossRelay refuses a relay that would hear itself, and a stable address that
// would be open to every neighbour of this host.
func (d *decoder) crossRelay(c Relay) {
	if d.sound("relay.listen", "relay.stable_address") && c.StableAddress.IsValid() && c.Listen.Addr.IsValid() {
		d.against([]string{"relay.stable_address", "relay.listen"},
			"relay.stable_address needs a relay.listen that names an interface: packets for it are taken from bridges alone")
	}
	if !d.sound("relay.listen", "relay.upstream", "relay.fallback") {
		return
	}
	for _, url := range c.Upstream {
		d.crossUpstream("relay.upstream", url, c)
	}
	d.crossUpstream("relay.fallback", c.Fallback, c)
	if slices.Contains(c.Upstream, c.Fallback) {
		d.against([]string{"relay.fallback", "relay.upstream"}, "%s is relay.upstream already", quote(c.Fallback))
	}
}

func (d *decoder) crossUpstream(name, url string, c Relay) {
	host, port, err := net.SplitHostPort(strings.TrimPrefix(url, "udp://"))
	if err != nil || port != fmt.Sprint(c.Listen.Port) {
		return
	}
	addr, err := netip.ParseAddr(strings.Replace(host, "localhost", "127.0.0.1", 1))
	if err != nil {
		return
	}
	own := addr == c.Listen.Addr || c.Listen.Addr.IsUnspecified() && addr.IsLoopback()
	if own && c.Listen.Addr.IsValid() || addr == c.StableAddress {
		d.against([]string{name, "relay.listen"}, "the relay would send to itself: it listens on %s", netip.AddrPortFrom(addr, c.Listen.Port))
	}
}
