package e2e_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/test/dogstatsd"
)

// in runs a command in the daemon's network.
func (d *daemon) in(name string, args ...string) {
	d.t.Helper()
	all := append([]string{"--net=/proc/" + strconv.Itoa(d.cmd.Process.Pid) + "/ns/net", name}, args...)
	if out, err := exec.CommandContext(context.Background(), "nsenter", all...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// link gives the daemon's network a docker0 with an address, and somebody behind
// it who sends from another.
func (d *daemon) link(address string) {
	d.t.Helper()
	d.in("ip", "link", "add", "docker0", "type", "bridge")
	d.in("ip", "address", "add", address+"/16", "dev", "docker0")
	d.in("ip", "link", "set", "docker0", "up")
}

// relayPort is where containers send to, in a network that has no other daemon.
const relayPort = "8125"

// say sends a line to an address, from the daemon's network.
func (d *daemon) say(line, address string) {
	d.t.Helper()
	d.in("bash", "-c", fmt.Sprintf("printf '%%s' '%s' > /dev/udp/%s/%s", line, address, relayPort))
}

// docker0 comes late, has another address, is deleted and made anew, while the
// daemon runs. A stable address is there through all of it.
func TestRelayFollowsDocker0(t *testing.T) {
	t.Parallel()
	server := dogstatsd.Listen(t, dogstatsd.Options{Network: "unixgram", Address: filepath.Join(t.TempDir(), "dsd.socket"), Keep: true})
	d := install(t, settings{
		"relay.listen": "docker0:" + relayPort, "relay.upstream": server.URL(), "relay.origin": "off",
		"relay.stable_address": "169.254.231.1", "metrics.dogstatsd": "off",
	})
	d.alone = true
	d.start()
	d.in("ip", "link", "set", "lo", "up")
	listens := func(address string) {
		t.Helper()
		at := address + ":" + relayPort
		eventually(t, "the relay at "+at, func() bool { return slices.Contains(ask[api.Docker0](d, "docker0").Use, at) })
	}
	heard := func(name string) {
		t.Helper()
		server.Wait(t, name, func(c dogstatsd.Counts) bool { return c.ByName[name] == 1 })
	}
	listens("169.254.231.1")
	d.say("before:1|c", "169.254.231.1")
	heard("before")

	d.link("172.17.0.1")
	listens("172.17.0.1")
	d.say("late:1|c", "172.17.0.1")
	heard("late")

	d.in("ip", "address", "add", "172.20.0.1/16", "dev", "docker0")
	d.in("ip", "address", "del", "172.17.0.1/16", "dev", "docker0")
	listens("172.20.0.1")
	d.say("changed:1|c", "172.20.0.1")
	heard("changed")

	d.in("ip", "link", "del", "docker0")
	d.say("between:1|c", "169.254.231.1")
	heard("between")
	d.link("172.20.0.1")
	listens("172.20.0.1")
	d.say("anew:1|c", "172.20.0.1")
	heard("anew")

	began := time.Now()
	d.in("ip", "address", "add", "172.21.0.1/16", "dev", "docker0")
	listens("172.21.0.1")
	t.Logf("another address is listened on %v after it was asked for, by the command line's own time", time.Since(began))
}
