package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func isUpstream(v any) error {
	u := v.(Upstream)
	if len(u) == 0 {
		return errors.New("is empty: to have no relay, set relay.listen to off")
	}
	for i, url := range u {
		if slices.Contains(u[:i], url) {
			return fmt.Errorf("%s is given twice", quote(url))
		}
	}
	return nil
}

func isUpstreamURL(v any) error {
	s := v.(string)
	for _, scheme := range []string{"unixgram://", "unix://"} {
		if p, found := strings.CutPrefix(s, scheme); found {
			return isSocket(p)
		}
	}
	if host, found := strings.CutPrefix(s, "udp://"); found && isHostPort(host) {
		return nil
	}
	return fmt.Errorf("%s is none of udp://host:port, unixgram:///path and unix:///path", quote(s))
}

func isDogstatsd(v any) error {
	s := v.(string)
	p, found := strings.CutPrefix(s, "unix://")
	switch {
	case s == off || isHostPort(s):
		return nil
	case found || strings.HasPrefix(s, "/"):
		return isSocket(p)
	}
	return fmt.Errorf("%s is not host:port, the path of a unix socket or off (example: 127.0.0.1:8125)", quote(s))
}

// isStableAddress keeps away from addresses that mean something to EC2 and ECS.
func isStableAddress(v any) error {
	a := v.(netip.Addr)
	taken := netip.MustParsePrefix("169.254.168.0/21")
	switch {
	case !a.IsValid():
		return nil
	case !a.Is4() || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback():
		return fmt.Errorf("%s cannot be an address of containers' own: use one such as 169.254.231.1", a)
	case taken.Contains(a):
		return fmt.Errorf("%s is in a range that EC2 and ECS use: use one such as 169.254.231.1", a)
	}
	return nil
}

func isStore(v any) error {
	s := v.(string)
	if !isPlain(s) {
		return fmt.Errorf("%s has characters that cannot be shown", quote(s))
	}
	scheme, rest, _ := strings.Cut(s, "://")
	rest = rest[strings.LastIndex(rest, "@")+1:]
	host, _, _ := strings.Cut(rest, "?")
	host, _, _ = strings.Cut(host, "/")
	switch scheme {
	case Embedded:
		if s == Embedded {
			return nil
		}
	case "dynamodb":
		if tableForm.MatchString(host) {
			return nil
		}
		return fmt.Errorf("%s names no table (example: dynamodb://berth)", quote(s))
	case "etcd", "etcds", "redis", "rediss":
		if !slices.ContainsFunc(strings.Split(host, ","), func(h string) bool { return !isHostPort(h) }) {
			return nil
		}
		return fmt.Errorf("%s names no host and port (example: %s://10.0.0.5:%s)", quote(s), scheme, map[bool]string{true: "2379", false: "6379"}[strings.HasPrefix(scheme, "etcd")])
	}
	return fmt.Errorf("%s is not a store: embedded, etcd://host:port, dynamodb://table or redis://host:port", quote(s))
}

// isHostPort reports whether s is a host, by name or address, and a port.
func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" || !wordForm.MatchString(host) || strings.ContainsAny(host, "/@?#") {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// isLocalURL takes what leads to a server of this host alone: no metadata of a
// container may be asked for elsewhere.
func isLocalURL(v any) error {
	s := v.(string)
	u, err := url.Parse(s)
	if err == nil && u.Scheme == "http" && u.User == nil && strings.TrimSuffix(u.Path, "/") == "" && u.RawQuery == "" {
		if addr, err := netip.ParseAddrPort(u.Host); err == nil && addr.Addr().IsLoopback() {
			return nil
		}
	}
	return fmt.Errorf("%s is not an http URL with an address on loopback and a port (example: http://127.0.0.1:51678)", quote(s))
}
