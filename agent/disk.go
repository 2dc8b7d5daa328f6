package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
	"github.com/berth-dev/berth/collectors/disk"
	"github.com/berth-dev/berth/janitor"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/logs"
)

// byDisk is who asks for a sweep when space is short.
const byDisk = "disk"

// While space stays short the log folders are swept again after sweepAgain; a
// sweep that could not do its work is repeated after sweepRetry, then twice
// that, and so on.
const (
	sweepAgain = 5 * time.Minute
	sweepRetry = 5 * time.Second
)

// A relief sweeps log folders and images off their schedule while space is short.
type relief struct {
	generation *generation
	short      chan disk.State // file systems that have got short of space
}

// monitor makes the monitor of the file systems that Berth sweeps and keeps.
func (a *Agent) monitor(g *generation) *disk.Monitor {
	return &disk.Monitor{
		Paths: func() []string {
			var paths []string
			for _, p := range a.places(g) {
				paths = append(paths, p.path)
			}
			return paths
		},
		Limits: diskLimits(g.loaded.Config.Disk), Log: a.component("disk"),
		Changed: func(s disk.State) { a.diskChanged(g, s) },
	}
}

func diskLimits(c config.Disk) disk.Limits {
	return disk.Limits{Low: float64(c.Low), High: float64(c.High), Emergency: float64(c.Emergency)}
}

// A place is a path that Berth sweeps or keeps something at.
type place struct{ path, use string }

func (a *Agent) places(g *generation) []place {
	var all []place
	for _, r := range g.roots {
		all = append(all, place{r.Path, "logs"})
	}
	if root := a.hub.Snapshot().Engine.RootDir; root != "" {
		all = append(all, place{root, "docker"})
	}
	return append(all, place{g.loaded.Config.StateDir, "state"})
}

// diskChanged tells people and the audit of a step on the ladder, and has what
// follows from it done.
func (a *Agent) diskChanged(g *generation, s disk.State) {
	a.feed.Publish(api.Event{Type: "disk." + s.Level.String(), Folder: s.Paths[0], Message: s.Reason})
	err := a.audit.Append(audit.Record{
		Time: time.Now(), Action: audit.Disk, Path: s.Paths[0], Code: s.Level.String(), Reason: s.Reason, By: byDisk,
	})
	if err != nil {
		a.log.Warn("write audit", "err", err)
	}
	g.sweeper.Relieve()
	if s.Level == disk.Normal {
		return
	}
	select {
	case g.relief.short <- s:
	default: // a sweep is due anyway
	}
}

// rootsOn returns the log roots on a file system. When the monitor tells of it,
// not all of its paths may have answered.
func (g *generation) rootsOn(s disk.State) []string {
	var on []string
	for _, r := range g.roots {
		if u, err := disk.Stat(r.Path); err == nil && u.Device == s.Usage.Device {
			on = append(on, r.Path)
		}
	}
	return on
}

// run sweeps when space gets short, and now and then while it is.
func (r *relief) run(ctx context.Context) error {
	again := time.NewTimer(sweepAgain)
	defer again.Stop()
	g, retry := r.generation, sweepRetry
	for {
		var s disk.State
		select {
		case <-ctx.Done():
			return nil
		case s = <-r.short:
			if len(g.rootsOn(s)) == 0 && !g.imagesShort() {
				continue
			}
		case <-again.C:
			if !g.logsShort() && !g.imagesShort() {
				again.Reset(sweepAgain)
				continue
			}
		}
		if !r.sweep(ctx) {
			again.Reset(retry)
			retry = min(2*retry, sweepAgain)
		} else {
			again.Reset(sweepAgain)
			retry = sweepRetry
		}
		r.largest(ctx, s)
	}
}

// sweep sweeps the log folders, and then the images if they are on a disk that
// is still short of space. It reports whether all could do their work.
func (r *relief) sweep(ctx context.Context) bool {
	g := r.generation
	var jobs []string
	if len(g.roots) > 0 {
		jobs = append(jobs, sweepJob)
	}
	done := true
	for _, job := range append(jobs, imageJob) {
		if job == imageJob && !g.imagesShort() {
			continue
		}
		run, err := g.scheduler.Trigger(ctx, job, janitor.Options{By: byDisk})
		if err != nil && !errors.Is(err, janitor.ErrRunning) && ctx.Err() == nil {
			g.agent.log.Warn("sweep for space", "job", job, "err", err)
		}
		done = done && err == nil && !run.Failed()
	}
	return done
}

// logsShort reports whether a log root is short of space.
func (g *generation) logsShort() bool {
	return slices.ContainsFunc(g.roots, func(r logs.Root) bool { return g.monitor.Level(r.Path) >= disk.High })
}

// largest tells which folders take most of a file system that is nearly full:
// what no sweep may touch is for people to look at.
func (r *relief) largest(ctx context.Context, s disk.State) {
	if s.Level < disk.High {
		return
	}
	folders, on := r.generation.sweeper.Folders(ctx).Decisions, r.generation.rootsOn(s)
	folders = slices.DeleteFunc(folders, func(d logs.Decision) bool { return d.Bytes <= 0 || !slices.Contains(on, d.Root) })
	slices.SortFunc(folders, func(a, b logs.Decision) int { return cmp.Compare(b.Bytes, a.Bytes) })
	var names []string
	for _, d := range folders[:min(3, len(folders))] {
		names = append(names, fmt.Sprintf("%s %d MiB", d.Path(), d.Bytes>>20))
	}
	if len(names) > 0 {
		r.generation.agent.feed.Publish(api.Event{Type: "disk.largest", Folder: s.Paths[0], Message: "most is taken by " + strings.Join(names, ", ")})
	}
}

// pressure is how short of space a root is at this moment. The monitor looks
// now and then; that there is room again is seen here at once.
func (g *generation) pressure(root string) logs.Pressure {
	level, limits := g.monitor.Level(root), g.monitor.Limits
	if u, err := disk.Stat(root); err == nil {
		switch {
		case u.Worst() >= limits.Emergency:
			level = disk.Emergency
		case level >= disk.High && u.Worst() < limits.Low:
			level = disk.Normal
		}
	}
	switch level {
	case disk.Soon:
		return logs.Soon
	case disk.High:
		return logs.High
	case disk.Emergency:
		return logs.Emergency
	}
	return logs.NoPressure
}

// room says whether a folder may take so many bytes more: an archive must not
// make its disk short of space.
func (g *generation) room(folder string, bytes int64) error {
	u, err := disk.Stat(folder)
	if err != nil {
		return err
	}
	high := g.monitor.Limits.High
	if after := u.BytesPercent + 100*float64(bytes)/float64(max(u.Bytes, 1)); after >= high || u.InodesPercent >= high {
		return fmt.Errorf("%s is %.1f %% full and would be %.1f %%, with disk.high at %.0f %%", folder, u.Worst(), after, high)
	}
	return nil
}

// disks returns the file systems of what Berth sweeps and keeps, each once.
func (a *Agent) disks(g *generation) []api.Disk {
	seen := map[uint64]int{}
	var all []api.Disk
	for _, p := range a.places(g) {
		u, err := disk.Stat(p.path)
		if err != nil {
			continue
		}
		if i, ok := seen[u.Device]; ok {
			all[i].Use += ", " + p.use
			continue
		}
		seen[u.Device] = len(all)
		d := api.Disk{
			Path: p.path, Use: p.use, Bytes: u.Bytes, FreeBytes: u.Avail,
			BytesPercent: u.BytesPercent, InodesPercent: u.InodesPercent, Level: disk.Normal.String(),
		}
		for _, s := range g.monitor.States() {
			if slices.Contains(s.Paths, p.path) {
				d.Level, d.Reason, d.Since, d.FullIn = s.Level.String(), s.Reason, stamp(s.Since), s.Forecast.Full
			}
		}
		all = append(all, d)
	}
	return all
}
