package engine

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"time"
)

// Options says what a container is to be. The zero value is the workload,
// waiting, on no network.
type Options struct {
	Name          string // empty: Docker makes one up
	Image         string // empty: the workload, see [Engine.Image]
	Cmd           []string
	Env           []string // NAME=value
	Hostname      string   // empty: the ID's first 12 digits
	Labels        map[string]string
	Binds         []string // source:destination or source:destination:ro
	Ports         []string // as docker run -p: 5555, 8125/udp, 127.0.0.1:18080:80
	Memory        int64    // bytes, hard
	Reservation   int64    // bytes, soft
	CPUShares     int64
	NanoCPUs      int64
	Network       string   // empty: none, or bridge if Ports are given
	RestartPolicy string   // no, always, on-failure, unless-stopped
	Health        []string // command of the health check, run every HealthEvery
	HealthEvery   time.Duration
	CgroupParent  string
	Tmpfs         []string // destinations
}

// body is the JSON of the create call.
func (o Options) body(run string) (map[string]any, error) {
	exposed, bindings, err := ports(o.Ports)
	if err != nil {
		return nil, err
	}
	network := cmp.Or(o.Network, "none")
	if o.Network == "" && len(o.Ports) > 0 {
		network = "bridge"
	}
	labels := maps.Clone(o.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[Label] = run
	tmpfs := map[string]string{}
	for _, destination := range o.Tmpfs {
		tmpfs[destination] = ""
	}
	body := map[string]any{
		"Image": o.Image, "Cmd": o.Cmd, "Env": o.Env, "Hostname": o.Hostname,
		"Labels": labels, "ExposedPorts": exposed,
		"HostConfig": map[string]any{
			"Binds": o.Binds, "PortBindings": bindings, "Memory": o.Memory, "MemoryReservation": o.Reservation,
			"CpuShares": o.CPUShares, "NanoCpus": o.NanoCPUs, "NetworkMode": network, "Tmpfs": tmpfs,
			"CgroupParent": o.CgroupParent, "RestartPolicy": map[string]any{"Name": o.RestartPolicy},
		},
	}
	if o.Health != nil {
		every := cmp.Or(o.HealthEvery, time.Second)
		body["Healthcheck"] = map[string]any{
			"Test": append([]string{"CMD"}, o.Health...), "Interval": every, "Timeout": 10 * time.Second, "Retries": 1,
		}
	}
	return body, nil
}

// ports reads specs in the form of docker run -p. No host port means that
// Docker picks one.
func ports(specs []string) (exposed, bindings map[string]any, err error) {
	exposed, bindings = map[string]any{}, map[string]any{}
	for _, spec := range specs {
		rest, inside, ok := cutLast(spec, ":")
		if !ok {
			rest, inside = "", spec
		}
		ip, host, ok := cutLast(rest, ":")
		if !ok {
			ip, host = "", rest
		}
		if inside == "" {
			return nil, nil, fmt.Errorf("port %q: no container port", spec)
		}
		if !strings.Contains(inside, "/") {
			inside += "/tcp"
		}
		exposed[inside] = struct{}{}
		list, _ := bindings[inside].([]map[string]string)
		bindings[inside] = append(list, map[string]string{"HostIp": strings.Trim(ip, "[]"), "HostPort": host})
	}
	return exposed, bindings, nil
}

// cutLast is strings.Cut around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
