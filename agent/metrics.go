package agent

import (
	"github.com/berth-dev/berth/agent/internal/stats"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/reservation"
)

// samples gathers every metric. Counts are totals since the generation began.
func (a *Agent) samples(g *generation) []stats.Sample {
	cpu, rss := stats.Process()
	a.mu.RLock()
	rejected := len(a.rejected) > 0
	a.mu.RUnlock()
	all := []stats.Sample{
		{Name: stats.ProcessCPU, Value: cpu.Seconds()},
		{Name: stats.ProcessRSS, Value: float64(rss)},
		{Name: stats.ConfigGeneration, Value: float64(g.number)},
		{Name: stats.ConfigRejected, Value: truth(rejected)},
	}
	all = append(all, a.publishSamples(g)...)
	all = append(all, a.dockerSamples(g)...)
	all = append(all, logSamples(g)...)
	all = append(all, imageSamples(g)...)
	all = append(all, diskSamples(g)...)
	all = append(all, a.relaySamples()...)
	return append(all, jobSamples(g)...)
}

func (a *Agent) dockerSamples(g *generation) []stats.Sample {
	s := g.watcher.Status()
	all := []stats.Sample{
		{Name: stats.DockerConnected, Value: truth(s.Connected)},
		{Name: stats.DockerBlind, Value: g.lookout.blindTime().Seconds()},
		{Name: stats.DockerReconnects, Value: float64(s.Reconnects)},
	}
	states := map[inventory.State]int{}
	for _, c := range a.hub.Snapshot().Containers {
		states[c.State]++
	}
	for _, state := range []inventory.State{
		inventory.Created, inventory.Running, inventory.Paused, inventory.Restarting,
		inventory.Removing, inventory.Exited, inventory.Dead,
	} {
		all = append(all, stats.Sample{Name: stats.Containers, Value: float64(states[state]), Tags: []string{"state:" + string(state)}})
	}
	return all
}

func (a *Agent) publishSamples(g *generation) []stats.Sample {
	s, r := g.publisher.Status(), g.reservation(a.hub.Snapshot())
	all := []stats.Sample{
		{Name: stats.StoreUp, Value: truth(s.Fault == "")},
		{Name: stats.StoreFenced, Value: truth(s.Fenced)},
		{Name: stats.StoreCut, Value: float64(s.Cut)},
		{Name: stats.StoreFailures, Value: float64(s.Failures)},
		{Name: stats.ReservedUnknown, Value: float64(r.Unknown)},
		{Name: stats.ReservedExact, Value: truth(r.Exact)},
	}
	for resource, v := range map[string]reservation.Vector{"cpu": r.CPU, "memory": r.Memory, "gpu": r.GPU} {
		tag := []string{"resource:" + resource}
		all = append(all,
			stats.Sample{Name: stats.Registered, Value: float64(v.Registered), Tags: tag},
			stats.Sample{Name: stats.Reserved, Value: float64(v.Reserved), Tags: tag},
			stats.Sample{Name: stats.Scheduled, Value: float64(v.Scheduled), Tags: tag})
	}
	return all
}

func logSamples(g *generation) []stats.Sample {
	s := g.sweeper.Stats()
	all := []stats.Sample{
		{Name: stats.LogsRemoved, Value: float64(s.Removed)},
		{Name: stats.LogsRestored, Value: float64(s.Restored)},
		{Name: stats.LogsPurged, Value: float64(s.Purged)},
		{Name: stats.LogsFreed, Value: float64(s.Freed)},
		{Name: stats.LogsHeld, Value: float64(s.Held)},
		{Name: stats.LogsRestorable, Value: float64(s.Restorable)},
	}
	for result, n := range s.Sweeps {
		all = append(all, stats.Sample{Name: stats.LogsSweeps, Value: float64(n), Tags: []string{"result:" + result}})
	}
	for code, n := range s.Refused {
		all = append(all, stats.Sample{Name: stats.LogsRefused, Value: float64(n), Tags: []string{"code:" + code}})
	}
	return all
}

func imageSamples(g *generation) []stats.Sample {
	s := g.images.Stats()
	return []stats.Sample{
		{Name: stats.Images, Value: float64(s.Images)},
		{Name: stats.ImagesUnused, Value: float64(s.Unused)},
		{Name: stats.ImagesRemoved, Value: float64(s.Removed)},
		{Name: stats.ImagesRefused, Value: float64(s.Refused)},
		{Name: stats.ImagesLost, Value: float64(s.Lost)},
		{Name: stats.ImagesPredicted, Value: float64(s.Predicted)},
	}
}

// relaySamples tells of no single container: there is no bound on how many
// names that would make.
func (a *Agent) relaySamples() []stats.Sample {
	if a.relay == nil {
		return nil
	}
	s := a.relay.Stats()
	all := []stats.Sample{
		{Name: stats.RelayDatagrams, Value: float64(s.Total.Datagrams)},
		{Name: stats.RelayMessages, Value: float64(s.Total.Messages)},
		{Name: stats.RelayBytes, Value: float64(s.Total.Bytes)},
		{Name: stats.RelayDelivered, Value: float64(s.Total.Delivered)},
		{Name: stats.RelayUnresolved, Value: float64(s.Total.Unresolved)},
		{Name: stats.RelayHeld, Value: float64(s.Total.Held)},
	}
	for cause, n := range s.Total.Dropped {
		all = append(all, stats.Sample{Name: stats.RelayDropped, Value: float64(n), Tags: []string{"cause:" + string(cause)}})
	}
	for _, o := range s.Outlets {
		upstream := []string{"upstream:" + o.URL}
		all = append(all,
			stats.Sample{Name: stats.RelayUp, Value: truth(o.Fault == ""), Tags: upstream},
			stats.Sample{Name: stats.RelaySent, Value: float64(o.Messages), Tags: upstream},
			stats.Sample{Name: stats.RelaySentDatagrams, Value: float64(o.Datagrams), Tags: upstream},
			stats.Sample{Name: stats.RelayHeldBytes, Value: float64(o.Held), Tags: upstream})
	}
	return all
}

func diskSamples(g *generation) []stats.Sample {
	var all []stats.Sample
	for _, s := range g.monitor.States() {
		path := []string{"path:" + s.Paths[0]}
		all = append(all,
			stats.Sample{Name: stats.DiskUsed, Value: s.Usage.Worst(), Tags: path},
			stats.Sample{Name: stats.DiskLevel, Value: float64(s.Level), Tags: path})
		if s.Forecast.Full > 0 {
			all = append(all, stats.Sample{Name: stats.DiskFullIn, Value: s.Forecast.Full.Seconds(), Tags: path})
		}
	}
	return all
}

func jobSamples(g *generation) []stats.Sample {
	var all []stats.Sample
	for _, j := range g.scheduler.States() {
		job := "job:" + j.Name
		all = append(all, stats.Sample{Name: stats.JobsSeconds, Value: j.Busy.Seconds(), Tags: []string{job}})
		for result, n := range j.Results {
			all = append(all, stats.Sample{Name: stats.JobsRuns, Value: float64(n), Tags: []string{job, "result:" + result}})
		}
	}
	return all
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
