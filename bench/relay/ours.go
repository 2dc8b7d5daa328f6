package relay

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/berth-dev/berth/bridge/dogstatsd"
	"github.com/berth-dev/berth/collectors/inventory"
)

// ourOrders say how our relay relays.
type ourOrders struct {
	Upstream string
	Mode     dogstatsd.Mode
	Profile  string // file for a CPU profile; empty: none
}

// An account is what our relay knows of itself.
type account struct {
	Before, After uint64 // objects allocated since the start, as the question came and as it is answered
	Kernel        uint64 // datagrams for which its sockets had no room
	Messages      uint64 // that came
	Delivered     uint64 // of them, those that the receiver has taken
	Held          uint64 // and those that wait for it
}

// ours runs our relay until its input ends, and answers each line of that with
// its account.
func ours(o ourOrders, in io.Reader, out io.Writer) error {
	origins, err := origins()
	if err != nil {
		return err
	}
	bridge, err := net.InterfaceByName("docker0")
	if err != nil {
		return err
	}
	r, err := dogstatsd.New(dogstatsd.Options{
		Log:      slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Settings: dogstatsd.Settings{Upstreams: []string{o.Upstream}, Mode: o.Mode},
	})
	if err != nil {
		return err
	}
	r.Origins(origins)
	if err := r.Listen([]netip.AddrPort{entry()}, []int{bridge.Index}); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	err = profiled(o.Profile, func() error { return answer(r, in, out) })
	stop()
	return errors.Join(err, <-ended, r.Close())
}

func answer(r *dogstatsd.Relay, in io.Reader, out io.Writer) error {
	answers := json.NewEncoder(out)
	for asked := bufio.NewScanner(in); asked.Scan(); {
		before := allocated()
		t := r.Stats().Total
		if err := answers.Encode(account{before, allocated(), t.Dropped[dogstatsd.Kernel], t.Messages, t.Delivered, t.Held}); err != nil {
			return err
		}
	}
	return nil
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// profiled has what runs beside f profiled into a file.
func profiled(path string, f func() error) error {
	if path == "" {
		return f()
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}

// origins are the rig's containers. For their processes any will do that exist:
// the kernel checks no more.
func origins() (all []dogstatsd.Origin, err error) {
	pids, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for n := range containers * quiet {
		service := fmt.Sprintf("service-%d", n)
		pid, _ := strconv.Atoi(filepath.Base(pids[n%len(pids)]))
		all = append(all, dogstatsd.Origin{
			ID: inventory.ID(fmt.Sprintf("%064x", 0xbe47<<32+n)), Service: service,
			Addresses: []netip.Addr{netip.MustParseAddr(address(n%containers, n/containers))},
			Started:   time.Now(), PID: pid, Inode: uint64(4_026_532_000 + n),
			Tags: []string{"service:" + service, "task_family:" + service + "-production", "container_name:app", "cluster:bench"},
		})
	}
	return all, nil
}

// ourVariants are our relay to either upstream in each of its modes.
func ourVariants() (all []Variant) {
	for _, network := range []string{"udp", "uds"} {
		for _, mode := range []dogstatsd.Mode{dogstatsd.Off, dogstatsd.Field, dogstatsd.Inode, dogstatsd.Tags, dogstatsd.Cred} {
			if network == "udp" && mode == dogstatsd.Cred {
				continue // UDP carries none
			}
			name := network + "-" + string(mode)
			all = append(all, Variant{
				Name: name, Unix: network == "uds", Cred: mode == dogstatsd.Cred, own: true,
				relay: func(r *Rig) ([]string, error) {
					o := ourOrders{Upstream: "udp://" + receiver, Mode: mode}
					if network == "uds" {
						o.Upstream = "unixgram://" + r.socket()
					}
					if r.profiles != "" {
						o.Profile = filepath.Join(r.profiles, strings.ReplaceAll(name, "-", "_")+".pprof")
					}
					return r.childArgs(roleOurs, o)
				},
			})
		}
	}
	return all
}
