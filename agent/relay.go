package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
	"github.com/berth-dev/berth/bridge/docker0"
	"github.com/berth-dev/berth/bridge/dogstatsd"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/process"
)

// defaultBridge is what is watched where the relay listens on no interface.
const defaultBridge = "docker0"

// openRelay makes the relay, which lives as long as the process. What an
// earlier process has had systemd keep is the relay's, or nobody's.
func (a *Agent) openRelay(c config.Config, handed map[string]*os.File) (err error) {
	if c.Relay.Listen.Off() {
		for name, file := range handed {
			_ = file.Close()
			a.unkeep(name)
		}
		return nil
	}
	o := dogstatsd.Options{Log: a.component("relay"), Settings: relaySettings(c.Relay), Handed: handed, Lookup: a.hasten}
	if a.keeper.keeps() {
		o.Keep, o.Unkeep = a.keep, a.unkeep
	}
	if a.relay, err = dogstatsd.New(o); err != nil {
		return fmt.Errorf("make relay: %w", err)
	}
	a.processes = &process.Watcher{
		Inventory: &a.hub, Log: a.component("processes"),
		Ended: func(id inventory.ID) { a.relay.Ended(id, time.Now()) },
	}
	return nil
}

// hasten has Docker asked sooner, because a packet waits for the name of its
// container. The relay calls it with its lock held.
func (a *Agent) hasten(netip.Addr) { a.generation().watcher.Hurry() }

func (a *Agent) keep(name string, fd int) {
	if err := a.keeper.keep(name, fd); err != nil {
		a.component("relay").Warn("keep descriptor", "name", name, "err", err)
	}
}

func (a *Agent) unkeep(name string) {
	if err := a.keeper.unkeep(name); err != nil {
		a.component("relay").Warn("take back descriptor", "name", name, "err", err)
	}
}

// closeRelay leaves no file that sends applications to where nobody listens.
func (a *Agent) closeRelay() error {
	if a.relay == nil {
		return nil
	}
	return errors.Join(a.relay.Close(), docker0.Publish(a.placeFolder(), nil))
}

// placeFolder is where applications are told where to send.
func (a *Agent) placeFolder() string { return filepath.Dir(a.listener.Addr().String()) }

// relaySettings are what the configuration says to the relay.
func relaySettings(c config.Relay) dogstatsd.Settings {
	return dogstatsd.Settings{
		Upstreams: c.Upstream, Fallback: c.Fallback, Mode: dogstatsd.Mode(c.Origin), Override: c.ClientOrigin == config.ReplaceOrigin,
		Hold: int64(c.Hold), Rate: c.Rate, Contexts: c.Contexts, Block: c.Block,
	}
}

// How often a relayer looks at what tells nobody when it changes.
const (
	relayLook    = 5 * time.Second  // whether upstreams are up
	listenAgain  = 15 * time.Second // at an address that another process has
	bufferWanted = 8 << 20          // bytes, of a socket as the kernel counts them
)

// A relayer keeps the relay true to the configuration and to the host: who has
// which address, and which addresses are ours.
type relayer struct {
	generation *generation
	docker0    *docker0.Watcher

	mu      sync.Mutex // guards the fields below
	places  []netip.AddrPort
	refused map[netip.AddrPort]string // why the relay does not listen there
	fault   string                    // why the settings are not in force
	up      map[string]dogstatsd.Outlet
}

func (a *Agent) relayer(g *generation) *relayer {
	c := g.loaded.Config.Relay
	name := c.Listen.Interface
	if name == "" {
		name = defaultBridge
	}
	return &relayer{
		generation: g, up: map[string]dogstatsd.Outlet{},
		docker0: &docker0.Watcher{Interface: name, Stable: c.StableAddress, Log: a.component("docker0")},
	}
}

// run follows the host until ctx ends. Nothing that goes wrong here is an error
// of this process.
func (r *relayer) run(ctx context.Context) error {
	a, c := r.generation.agent, r.generation.loaded.Config.Relay
	look, again := time.NewTicker(relayLook), time.NewTicker(listenAgain)
	defer look.Stop()
	defer again.Stop()
	for {
		now, changed := a.hub.Watch()
		certain, moved := a.processes.Watch()
		if now.Synced {
			a.relay.Origins(origins(now, certain, c.Labels))
		}
		state, shifted := r.docker0.Watch()
		r.place(state)
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
				waiting = false
			case <-moved:
				waiting = false
			case <-shifted:
				waiting = false
			case <-look.C:
				r.look()
			case <-again.C:
				r.again(state)
			}
		}
	}
}

// set puts the configuration's settings in force. It may wait for a name
// server, so that a reload calls it while the generation before still works.
func (r *relayer) set() {
	a := r.generation.agent
	if a.relay == nil {
		return
	}
	err := a.relay.Set(relaySettings(r.generation.loaded.Config.Relay))
	if err == nil {
		return
	}
	a.component("relay").Warn("set relay", "err", err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = err.Error()
}

// place makes the relay listen where containers reach this host now. Before the
// first word of the kernel nothing is known, and what was goes on.
func (r *relayer) place(s docker0.State) {
	listen := r.generation.loaded.Config.Relay.Listen
	if listen.Interface != "" && len(s.Bridges) == 0 && len(s.Faults) == 0 {
		return
	}
	places, _ := placesOf(listen, s)
	r.mu.Lock()
	same := r.refused != nil && slices.Equal(places, r.places)
	r.mu.Unlock()
	if !same {
		r.listen(places, s)
	}
}

// again tries to listen where that was refused.
func (r *relayer) again(s docker0.State) {
	r.mu.Lock()
	places, refused := r.places, len(r.refused)
	r.mu.Unlock()
	if refused > 0 {
		r.listen(places, s)
	}
}

// placesOf are the addresses to listen on, best first, and the interfaces that
// packets may come by; nil: by any.
func placesOf(l config.Listen, s docker0.State) (places []netip.AddrPort, interfaces []int) {
	if l.Interface == "" {
		return []netip.AddrPort{netip.AddrPortFrom(l.Addr, l.Port)}, nil
	}
	interfaces = []int{}
	if s.Stable.IsValid() {
		places = append(places, netip.AddrPortFrom(s.Stable, l.Port))
	}
	for _, b := range s.Bridges {
		interfaces = append(interfaces, b.Index)
		for _, addr := range b.Addresses {
			places = append(places, netip.AddrPortFrom(addr, l.Port))
		}
	}
	return places, interfaces
}

// listen tells the relay, the applications and people where it is.
func (r *relayer) listen(places []netip.AddrPort, s docker0.State) {
	a := r.generation.agent
	_, interfaces := placesOf(r.generation.loaded.Config.Relay.Listen, s)
	err := a.relay.Listen(places, interfaces)
	had := map[netip.AddrPort]bool{}
	for _, s := range a.relay.Stats().Sockets {
		had[s.Address] = true
	}
	var heard []netip.AddrPort
	refused := map[netip.AddrPort]string{}
	for _, at := range places {
		if had[at] {
			heard = append(heard, at)
		} else {
			refused[at] = whyNot(at, err)
		}
	}
	r.mu.Lock()
	before, known := r.refused, r.places
	r.places, r.refused = places, refused
	r.mu.Unlock()
	if err := docker0.Publish(a.placeFolder(), heard); err != nil {
		a.component("relay").Warn("tell applications", "err", err)
	}
	if before != nil && slices.Equal(known, places) && len(before) == len(refused) {
		return
	}
	for at, why := range refused {
		a.component("relay").Warn("listen", "address", at, "err", why)
	}
	a.component("relay").Info("listens", "addresses", heard)
	a.feed.Publish(api.Event{Type: "relay.listening", Message: listing(heard, refused)})
}

// heard are the places where the relay listens, best first.
func (r *relayer) heard() (places []netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range r.places {
		if r.refused[at] == "" {
			places = append(places, at)
		}
	}
	return places
}

// isUnixgram reports whether an upstream can be told who sends.
func isUnixgram(url string) bool { return strings.HasPrefix(url, "unixgram:") }

// whyNot names who has the port.
func whyNot(at netip.AddrPort, err error) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		if owner, err := docker0.FindOwner(at); err == nil {
			return fmt.Sprintf("%s is taken by %s", at, owner)
		}
	}
	if err == nil {
		return fmt.Sprintf("%s is not listened on", at)
	}
	return err.Error()
}

func listing(heard []netip.AddrPort, refused map[netip.AddrPort]string) string {
	var parts []string
	for _, at := range heard {
		parts = append(parts, at.String())
	}
	if len(parts) == 0 {
		parts = append(parts, "nowhere")
	}
	for _, why := range refused {
		parts = append(parts, "not on "+why)
	}
	return strings.Join(parts, ", ")
}

// look tells people when an upstream has gone or is back.
func (r *relayer) look() {
	a := r.generation.agent
	for _, o := range a.relay.Stats().Outlets {
		r.mu.Lock()
		before := r.up[o.URL]
		r.up[o.URL] = o
		r.mu.Unlock()
		switch away := before.Fault != ""; {
		case o.Fault != "" && !away:
			a.component("relay").Warn("upstream is away", "upstream", o.URL, "err", o.Fault)
			a.feed.Publish(api.Event{Type: "relay.upstream.down", Message: o.URL + ": " + o.Fault})
		case o.Up && away:
			a.component("relay").Info("upstream is back", "upstream", o.URL)
			a.feed.Publish(api.Event{Type: "relay.upstream.up", Message: o.URL})
		}
	}
}
