package identity

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A route is a default route.
type route struct {
	device string
	metric uint64
	v6     bool
}

// Flags of the kernel's routes, linux/route.h and linux/ipv6_route.h.
const (
	flagUp     = 0x1
	flagReject = 0x200
)

// routes4 reads /proc/net/route: interface, destination, gateway, flags,
// reference count, use, metric, mask and more, in hexadecimal but the metric.
func routes4(text string) []route {
	var all []route
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" || !usable(f[3]) {
			continue
		}
		if metric, err := strconv.ParseUint(f[6], 10, 32); err == nil {
			all = append(all, route{device: f[0], metric: metric})
		}
	}
	return byMetric(all)
}

// routes6 reads /proc/net/ipv6_route: destination, its length, source, its
// length, next hop, metric, reference count, use, flags, interface.
func routes6(text string) []route {
	var all []route
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 || strings.Trim(f[0], "0") != "" || f[1] != "00" || !usable(f[8]) {
			continue
		}
		if metric, err := strconv.ParseUint(f[5], 16, 32); err == nil {
			all = append(all, route{device: f[9], metric: metric, v6: true})
		}
	}
	return byMetric(all)
}

// usable reports whether the flags are those of a route that leads somewhere.
func usable(flags string) bool {
	n, err := strconv.ParseUint(flags, 16, 32)
	return err == nil && n&flagUp != 0 && n&flagReject == 0
}

func byMetric(all []route) []route {
	slices.SortStableFunc(all, func(a, b route) int { return cmp.Compare(a.metric, b.metric) })
	return all
}
