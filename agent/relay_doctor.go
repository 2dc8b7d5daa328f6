package agent

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/docker0"
	"github.com/berth-dev/berth/bridge/dogstatsd"
)

// datadogFile is where the Datadog agent has its configuration.
const datadogFile = "/etc/datadog-agent/datadog.yaml"

// checkRelay looks at what the relay rests on: where it listens, where it
// sends, and whether the server there will understand who sent what.
func (a *Agent) checkRelay(g *generation, d *diagnosis) {
	if a.relay == nil {
		d.ok("relay", "is off (relay.listen)")
		return
	}
	stats := a.relay.Stats()
	state := g.relayer.state(stats)
	if len(state.Addresses) > 0 {
		d.ok("relay", "containers reach it on %s", strings.Join(state.Addresses, ", "))
	}
	for _, fault := range state.Faults {
		if !strings.HasPrefix(fault, "upstream ") {
			d.add(checkFail, "relay", fault, relayCure(fault))
		}
	}
	for _, o := range state.Upstreams {
		checkUpstream(o, d)
	}
	checkMode(stats, datadogFile, d)
	if state.Apart != "" {
		d.add(checkWarn, "relay", "containers that do not come by a bridge: "+state.Apart,
			"in awsvpc mode a task needs a dogstatsd of its own, as a sidecar")
	}
}

func relayCure(fault string) string {
	switch {
	case strings.Contains(fault, "is taken by"):
		return "end that, or keep it to 127.0.0.1 (the Datadog agent: no dogstatsd_non_local_traffic), or set relay.listen to another port; it is tried again every 15 s"
	case strings.Contains(fault, "is not there"), strings.Contains(fault, "has no address"), strings.Contains(fault, "is down"):
		return "nothing, if Docker is just starting: the relay listens as soon as it can; else set relay.listen to the interface that containers are on, or to off"
	case strings.HasPrefix(fault, "process not held"):
		return "its packets are named by a field instead of by its process; the Engine and Berth have to be in one PID namespace"
	default:
		return "look at the log: journalctl -u berth"
	}
}

// checkUpstream asks the kernel where the relay has not been told yet: a UDP
// port does not say whether anybody listens.
func checkUpstream(o api.RelayOutlet, d *diagnosis) {
	subject := "upstream " + o.URL
	fault := o.Fault
	if fault == "" {
		if err := reachable(o.URL); err != nil {
			fault = err.Error()
		}
	}
	if fault != "" {
		d.add(checkFail, subject, fault, "start the dogstatsd server there, or set relay.upstream; what comes meanwhile is held, up to relay.hold")
		return
	}
	d.ok(subject, "has taken %d messages", o.Messages)
}

// reachable is nil unless it is plain that nobody listens there.
func reachable(url string) error {
	if host, isUDP := strings.CutPrefix(url, "udp://"); isUDP {
		at, err := netip.ParseAddrPort(strings.Replace(host, "localhost", "127.0.0.1", 1))
		if err != nil || !at.Addr().IsLoopback() {
			return nil // somewhere else
		}
		if _, err := docker0.FindOwner(at); errors.Is(err, docker0.ErrNoOwner) {
			return fmt.Errorf("nobody listens on %s", at)
		}
		return nil
	}
	network, path, _ := strings.Cut(url, "://")
	conn, err := net.Dial(network, path)
	if err != nil {
		return err
	}
	return conn.Close()
}

// checkMode says what the mode in force needs of the Datadog agent, and whether
// that has it, where its configuration can be read.
func checkMode(s dogstatsd.Stats, file string, d *diagnosis) {
	option := map[dogstatsd.Mode]string{
		dogstatsd.Cred:  "dogstatsd_origin_detection",
		dogstatsd.Field: "dogstatsd_origin_detection_client",
		dogstatsd.Inode: "dogstatsd_origin_detection_client",
	}[s.Mode]
	if option == "" {
		d.ok("origin", "%s: nothing is needed of the server", s.Mode)
		return
	}
	text, err := os.ReadFile(file)
	switch {
	case err != nil:
		d.ok("origin", "%s: the Datadog agent needs %s: true, and its configuration cannot be read here", s.Mode, option)
	case setTrue(option).Match(text):
		d.ok("origin", "%s: the Datadog agent has %s: true", s.Mode, option)
	default:
		d.add(checkWarn, "origin", fmt.Sprintf("%s needs %s, which %s does not set", s.Mode, option, file),
			fmt.Sprintf("add %s: true there and restart the Datadog agent, unless its environment sets it; or set relay.origin to tags", option))
	}
}

// setTrue finds a top-level key of a YAML file with the value true.
func setTrue(key string) *regexp.Regexp {
	return regexp.MustCompile(`(?mi)^` + regexp.QuoteMeta(key) + `:\s*["']?(true|yes|on|1)["']?\s*(#.*)?$`)
}
