package agent

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/disk"
)

// Status is the daemon's verdict on itself and on what it depends on.
func (a *Agent) Status(ctx context.Context) api.Status {
	g := a.generation()
	s := api.Status{
		Version: a.options.Version.Version, Started: a.started, PID: os.Getpid(), Generation: g.number,
		Host:   api.Host{ID: g.host.ID, Cluster: g.host.Cluster, Source: g.host.Source},
		Config: a.configState(), Docker: a.docker(g), Logs: a.logs(g), Images: imagesOf(g), Relay: a.Relay(ctx).State, Store: a.storeState(g),
		Disks: a.disks(g), Jobs: a.Jobs(ctx), Limited: a.limits(g),
	}
	if g.host.Address.IsValid() {
		s.Host.Address = g.host.Address.String()
	}
	s.Reasons = reasons(s)
	s.Verdict = api.OK
	if len(s.Reasons) > 0 {
		s.Verdict = api.Degraded
	}
	return s
}

// reasons lists what is not as it should be, worst first.
func reasons(s api.Status) []string {
	var all []string
	if s.Docker.Blind != "" {
		all = append(all, fmt.Sprintf("blind for %s: %s", time.Since(s.Docker.BlindSince).Round(time.Second), s.Docker.Blind))
	} else if !s.Docker.Connected {
		all = append(all, "docker has not been seen yet")
	}
	if s.Docker.Blind == "" && s.Logs.Blind != "" {
		all = append(all, "log folders are not swept: "+s.Logs.Blind)
	}
	if s.Images.Lost > 0 {
		all = append(all, fmt.Sprintf("%d images were removed while a container was made from them", s.Images.Lost))
	}
	for _, r := range s.Logs.Roots {
		if r.Fault != "" {
			all = append(all, "log root is not swept: "+r.Fault)
		}
	}
	for _, d := range s.Disks {
		if d.Level == disk.High.String() || d.Level == disk.Emergency.String() {
			all = append(all, "disk: "+d.Reason)
		}
	}
	if n := len(s.Config.Rejected); n > 0 {
		f := s.Config.Rejected[0]
		all = append(all, fmt.Sprintf("the newest configuration is refused with %d faults, first %s: %s", n, cmp.Or(f.Key, f.File), f.Message))
	}
	for _, fault := range s.Relay.Faults {
		all = append(all, "relay: "+fault)
	}
	if s.Store.Fault != "" {
		all = append(all, "store: "+s.Store.Fault)
	}
	if s.Store.Cut > 0 {
		all = append(all, fmt.Sprintf("store: %d port mappings do not fit into the host's record", s.Store.Cut))
	}
	for _, j := range s.Jobs {
		if j.Last != nil && j.Last.Result == "failed" {
			all = append(all, fmt.Sprintf("job %s failed: %s", j.Name, j.Last.Detail))
		}
	}
	return all
}

func (a *Agent) docker(g *generation) api.Docker {
	w, s := g.watcher.Status(), a.hub.Snapshot()
	d := api.Docker{
		Socket: w.Socket, Connected: w.Connected, Blind: w.Blind, BlindSince: stamp(w.BlindSince), BlindSeconds: w.BlindTotal.Seconds(),
		Version: s.Engine.Version, APIVersion: s.Engine.APIVersion, RootDir: s.Engine.RootDir,
		Containers: len(s.Containers), LastEvent: stamp(w.LastEvent), LastList: stamp(w.LastList), Reconnects: w.Reconnects,
	}
	for _, c := range s.Containers {
		if c.State.Up() {
			d.Up++
		}
	}
	return d
}

func imagesOf(g *generation) api.Images {
	s := g.images.Stats()
	return api.Images{Images: s.Images, Unused: s.Unused, Frees: s.Frees, Blind: s.Blind, Lost: s.Lost}
}

func (a *Agent) logs(g *generation) api.Logs {
	stats := g.sweeper.Stats()
	l := api.Logs{
		Blind: cmp.Or(g.lookout.disbelieves(), stats.Blind), FirstSweep: stamp(g.sweeper.FirstSweep()), Restorable: stats.Restorable, HeldBytes: stats.Held,
	}
	for _, r := range g.sweeper.RootStates() {
		l.Roots = append(l.Roots, api.LogRoot{Path: r.Path, Pattern: r.Pattern.String(), Fault: r.Fault})
	}
	return l
}
