package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/bridge/docker0"
	"github.com/berth-dev/berth/bridge/dogstatsd"
)

// Relay returns what the relay has counted.
func (a *Agent) Relay(context.Context) api.Relay {
	g := a.generation()
	if a.relay == nil {
		return api.Relay{State: g.relayer.state(dogstatsd.Stats{})}
	}
	s := a.relay.Stats()
	answer := api.Relay{State: g.relayer.state(s), Wait: s.Wait, Total: countOf(s.Total), Senders: make([]api.RelaySender, 0, len(s.Senders))}
	for _, sender := range s.Senders {
		out := api.RelaySender{
			Container: string(sender.Container), Service: sender.Service, Last: stamp(sender.Last), Count: countOf(sender.Count),
		}
		if sender.Address.IsValid() {
			out.Address = sender.Address.String()
		}
		answer.Senders = append(answer.Senders, out)
	}
	for _, socket := range s.Sockets {
		answer.Sockets = append(answer.Sockets, api.RelaySocket{Address: socket.Address.String(), Buffer: socket.Buffer, Dropped: socket.Dropped})
	}
	return answer
}

func countOf(c dogstatsd.Count) api.RelayCount {
	out := api.RelayCount{
		Datagrams: c.Datagrams, Messages: c.Messages, Bytes: c.Bytes, Delivered: c.Delivered, Held: c.Held, Unresolved: c.Unresolved,
		Dropped: make(map[string]uint64, len(c.Dropped)),
	}
	for cause, n := range c.Dropped {
		out.Dropped[string(cause)] = n
	}
	return out
}

// state is how the relay is doing, by what it has counted.
func (r *relayer) state(s dogstatsd.Stats) api.RelayState {
	a, c := r.generation.agent, r.generation.loaded.Config.Relay
	out := api.RelayState{
		Listen: c.Listen.String(), Mode: string(s.Mode), Why: s.Why,
		Messages: s.Total.Messages, Delivered: s.Total.Delivered, Held: s.Total.Held, Unresolved: s.Total.Unresolved,
	}
	if a.relay == nil {
		return out
	}
	out.Apart = apartOf(a.hub.Snapshot()).String()
	for _, n := range s.Total.Dropped {
		out.Dropped += n
	}
	for _, o := range s.Outlets {
		out.Upstreams = append(out.Upstreams, outletOf(o))
	}
	for _, at := range r.heard() {
		out.Addresses = append(out.Addresses, at.String())
	}
	out.Faults = r.faults(s)
	return out
}

func outletOf(o dogstatsd.Outlet) api.RelayOutlet {
	return api.RelayOutlet{
		URL: o.URL, Up: o.Up, Fault: o.Fault, Since: stamp(o.Since),
		Datagrams: o.Datagrams, Messages: o.Messages, Bytes: o.Bytes, Dropped: o.Dropped, Held: o.Held,
	}
}

// faults is what is not as it should be, worst first.
func (r *relayer) faults(s dogstatsd.Stats) []string {
	a := r.generation.agent
	state, _ := r.docker0.Watch()
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	if r.fault != "" {
		all = append(all, r.fault)
	}
	for _, at := range r.places {
		if why := r.refused[at]; why != "" {
			all = append(all, "does not listen: "+why)
		}
	}
	if r.generation.loaded.Config.Relay.Listen.Interface != "" {
		all = append(all, state.Faults...)
	}
	for _, o := range s.Outlets {
		if o.Fault != "" {
			all = append(all, away(o))
		}
	}
	if fault := a.processes.Fault(); fault != "" {
		all = append(all, "process not held: "+fault)
	}
	return all
}

func away(o dogstatsd.Outlet) string {
	text := fmt.Sprintf("upstream %s is away for %s: %s", o.URL, time.Since(o.Since).Round(time.Second), o.Fault)
	if o.Held > 0 {
		text += fmt.Sprintf("; %d KiB are held for it", (o.Held+1023)/1024)
	}
	return text
}

// Docker0 returns where containers reach this host.
func (a *Agent) Docker0(context.Context) api.Docker0 {
	r := a.generation().relayer
	state, _ := r.docker0.Watch()
	answer := api.Docker0{Faults: state.Faults}
	for _, b := range state.Bridges {
		bridge := api.Bridge{Name: b.Name, Index: b.Index, Up: b.Up}
		for _, addr := range b.Addresses {
			bridge.Addresses = append(bridge.Addresses, addr.String())
		}
		answer.Bridges = append(answer.Bridges, bridge)
	}
	if state.Stable.IsValid() {
		answer.Stable = state.Stable.String()
	}
	for _, at := range r.heard() {
		answer.Use = append(answer.Use, at.String())
	}
	if len(answer.Use) > 0 {
		answer.File = filepath.Join(a.placeFolder(), docker0.EnvFile)
	}
	return answer
}

// limits is what the relay lacks the rights to do, each with its cure.
func (r *relayer) limits(s dogstatsd.Stats) []string {
	var all []string
	if s.Why != "" && len(s.Outlets) > 0 && isUnixgram(s.Outlets[0].URL) {
		all = append(all, fmt.Sprintf("the relay names containers by %s, for %s: run as root or with that", s.Mode, s.Why))
	}
	if least := leastBuffer(s); least > 0 && least < bufferWanted {
		all = append(all, fmt.Sprintf("a socket of the relay holds %d KiB instead of %d: run as root or with CAP_NET_ADMIN, "+
			"or set net.core.rmem_max to %d", least>>10, bufferWanted>>10, bufferWanted/2))
	}
	return all
}

// leastBuffer is the smallest of the sockets' buffers; 0: there is no socket.
func leastBuffer(s dogstatsd.Stats) (least int) {
	for i, socket := range s.Sockets {
		if i == 0 || socket.Buffer < least {
			least = socket.Buffer
		}
	}
	return least
}
