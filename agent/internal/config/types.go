package config

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// off is how a duty is switched off where its key says that it can be.
const off = "off"

// An Age is how old something must be before it may go. Zero is off: it stays.
type Age time.Duration

// Off reports whether nothing goes for its age.
func (a Age) Off() bool { return a == 0 }

// String returns "off" or a duration that [Load] reads back.
func (a Age) String() string {
	if a.Off() {
		return off
	}
	return formatDuration(time.Duration(a))
}

// MarshalText returns the same text as String.
func (a Age) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads "off" or a duration above zero.
func (a *Age) UnmarshalText(text []byte) error {
	if string(text) == off {
		*a = 0
		return nil
	}
	d, err := parseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("%s is neither off nor an age above zero (example: 72h)", quote(string(text)))
	}
	*a = Age(d)
	return nil
}

// A Size is a number of bytes. Zero is off: no limit.
type Size int64

// units are what a size may be counted in, each 1024 of the next.
func units() []string { return []string{"TiB", "GiB", "MiB", "KiB"} }

// String returns "off" or a size that [Load] reads back.
func (s Size) String() string {
	if s == 0 {
		return off
	}
	for i, name := range units() {
		if unit := int64(1) << (40 - 10*i); int64(s)%unit == 0 {
			return strconv.FormatInt(int64(s)/unit, 10) + name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// MarshalText returns the same text as String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads "off" or a whole number of B, KiB, MiB, GiB or TiB.
func (s *Size) UnmarshalText(text []byte) error {
	if string(text) == off {
		*s = 0
		return nil
	}
	number, unit := strings.TrimSuffix(string(text), "B"), int64(1)
	for i, name := range units() {
		if n, found := strings.CutSuffix(string(text), name); found {
			number, unit = n, int64(1)<<(40-10*i)
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || number == string(text) || n <= 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("%s is neither off nor a size in B, KiB, MiB, GiB or TiB (example: 20GiB)", quote(string(text)))
	}
	*s = Size(n * unit)
	return nil
}

// Listen is where the relay listens: on an interface's address, whatever that
// is at the time, or on a fixed one. The zero value is off.
type Listen struct {
	Interface string     // name of a network interface; empty: Addr is meant
	Addr      netip.Addr // fixed address; invalid: Interface is meant
	Port      uint16
}

// Off reports whether there is no relay.
func (l Listen) Off() bool { return l == Listen{} }

// String returns interface:port, address:port or off.
func (l Listen) String() string {
	switch {
	case l.Off():
		return off
	case l.Interface != "":
		return net.JoinHostPort(l.Interface, strconv.Itoa(int(l.Port)))
	default:
		return netip.AddrPortFrom(l.Addr, l.Port).String()
	}
}

// MarshalText returns the same text as String.
func (l Listen) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what String writes.
func (l *Listen) UnmarshalText(text []byte) error {
	if string(text) == off {
		*l = Listen{}
		return nil
	}
	bad := fmt.Errorf("%s is not interface:port, address:port or off (example: docker0:8125)", quote(string(text)))
	host, port, err := net.SplitHostPort(string(text))
	if err != nil {
		return bad
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return fmt.Errorf("%s has no port from 1 to 65535 (example: docker0:8125)", quote(string(text)))
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		*l = Listen{Addr: addr, Port: uint16(n)}
		return nil
	}
	if !isInterface(host) {
		return bad
	}
	*l = Listen{Interface: host, Port: uint16(n)}
	return nil
}

// isInterface reports whether the kernel would take name for an interface; one
// made of digits and dots alone is a misspelt address.
func isInterface(name string) bool {
	return len(name) > 0 && len(name) <= 15 && !strings.ContainsAny(name, "/: \t\n") &&
		isPlain(name) && strings.Trim(name, "0123456789.") != ""
}

// Upstream is where the relay sends: udp://host:port or unixgram:///path. With
// more than one, each gets every packet. In YAML a single one need not be a
// list.
type Upstream []string

// Addr returns Dogstatsd as Datadog's client takes it: host:port or
// unix:///path; empty when it is off.
func (m Metrics) Addr() string {
	switch {
	case m.Dogstatsd == off:
		return ""
	case strings.HasPrefix(m.Dogstatsd, "/"):
		return "unix://" + m.Dogstatsd
	default:
		return m.Dogstatsd
	}
}

// maxDuration keeps sums of times and durations far from overflow.
const maxDuration = 10 * 365 * 24 * time.Hour

// parseDuration reads Go's syntax with an optional leading number of days:
// 90s, 1h30m, 3d, 1d12h. The error says what is wrong but not with what.
func parseDuration(text string) (time.Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "", text
	}
	d, err := time.Duration(0), error(nil)
	if rest != "" || !found {
		d, err = time.ParseDuration(rest)
	}
	if err != nil || (found && !isDays(days)) || (found && strings.HasPrefix(rest, "-")) {
		return 0, fmt.Errorf("is not a duration")
	}
	if found {
		n, _ := strconv.ParseFloat(days, 64)
		if n > maxDuration.Hours()/24 {
			return 0, fmt.Errorf("is longer than ten years")
		}
		d += time.Duration(n * float64(24*time.Hour))
	}
	if d > maxDuration {
		return 0, fmt.Errorf("is longer than ten years")
	}
	return d, nil
}

func isDays(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && strings.Trim(s, "0123456789.") == ""
}

// formatDuration is String without the zero units that nobody writes: 1h, not
// 1h0m0s, and 90s, not 1m30s.
func formatDuration(d time.Duration) string {
	if d > 0 && d < 5*time.Minute && d%time.Second == 0 && d%time.Minute != 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
