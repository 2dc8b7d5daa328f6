package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
	"github.com/berth-dev/berth/agent/internal/stats"
	"github.com/berth-dev/berth/bridge/publish"
	"github.com/berth-dev/berth/collectors/disk"
	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/ecs"
	"github.com/berth-dev/berth/collectors/identity"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor"
	"github.com/berth-dev/berth/janitor/images"
	"github.com/berth-dev/berth/janitor/logs"
)

// A generation is the components that one configuration has built.
type generation struct {
	number    int
	built     time.Time
	loaded    config.Loaded
	host      identity.Host
	roots     []logs.Root
	watcher   *docker.Watcher
	sweeper   *logs.Sweeper
	images    *images.Sweeper
	pulls     *docker.PullClock
	scheduler *janitor.Scheduler
	ecs       *ecs.Observer
	publisher *publish.Publisher
	reporter  *stats.Reporter
	monitor   *disk.Monitor
	relief    *relief
	lookout   *lookout
	relayer   *relayer
	agent     *Agent
	ended     chan struct{} // closed when run returns
	replaced  atomic.Bool   // another one follows

	components []component
}

// sweepJob is the job that sweeps the log folders.
const sweepJob = "logs"

// build makes the components and starts none of them. A configuration that
// has passed its checks can be built.
func (a *Agent) build(loaded config.Loaded, number int) *generation {
	c := loaded.Config
	g := &generation{number: number, built: stamp(time.Now()), loaded: loaded, host: a.host(c.Host), ended: make(chan struct{}), agent: a}
	for _, r := range c.Logs.Roots {
		if p, err := logs.ParsePattern(r.Pattern); err == nil {
			g.roots = append(g.roots, logs.Root{Path: r.Path, Pattern: p})
		}
	}
	g.monitor = a.monitor(g)
	g.relief = &relief{generation: g, short: make(chan disk.State, 8)}
	g.lookout = &lookout{generation: g}
	pacer := &disk.Pacer{}
	client := a.client(c)
	g.relayer = a.relayer(g)
	g.watcher = &docker.Watcher{
		Client: client, Inventory: &a.hub, Log: a.component("docker"),
		Observer: &observer{a, g}, LogFolder: g.logFolder, Heard: &a.heard, Since: a.since(),
	}
	g.sweeper = &logs.Sweeper{
		Roots: g.roots, Lister: client, Ledger: a.ledger, Audit: a.audit, Log: a.component("logs"), Notify: a.swept,
		Policy: policyOf(c.Logs), Undo: c.Logs.Undo, Settle: c.Docker.Settle, First: c.Logs.FirstSweepDelay,
		Pressure: g.pressure, Pace: pacer.Pace, Archive: c.Logs.Archive, Room: g.room,
		RotateAfter: time.Duration(c.Logs.RotateAfter),
	}
	g.pulls = &docker.PullClock{Log: a.component("docker")}
	g.images = a.imageSweeper(g, client)
	g.scheduler = &janitor.Scheduler{Jobs: a.jobs(g), Log: a.component("jobs"), Done: a.ran}
	g.reporter = &stats.Reporter{
		Addr: c.Metrics.Addr(), Prefix: c.Metrics.Prefix, Tags: c.Metrics.Tags,
		Gather: func() []stats.Sample { return a.samples(g) }, Log: a.component("metrics"),
	}
	g.ecs = &ecs.Observer{Inventory: &a.hub, Log: a.component("ecs"), Agent: c.ECS.Introspection, Metadata: c.ECS.Metadata}
	g.publisher = a.publisher(g)
	g.components = []component{
		{"docker", g.watcher.Run},
		{"logs", g.sweeper.Run},
		{"images", g.images.Run},
		{"pulls", g.pulls.Run},
		{"jobs", g.scheduler.Run},
		{"ecs", g.ecs.Run},
		{"publish", g.publisher.Run},
		{"disk", g.monitor.Run},
		{"relief", g.relief.run},
		{"lookout", g.lookout.run},
		{"docker0", g.relayer.docker0.Run},
	}
	if a.relay != nil {
		g.components = append(g.components, component{"relayer", g.relayer.run})
	}
	if g.reporter.Addr != "" {
		g.components = append(g.components, component{"metrics", g.reporter.Run})
	}
	if c.Reload.Watch && loaded.File != "" {
		w := &config.Watcher{File: loaded.File, Digest: loaded.Digest, Log: a.component("config"), Changed: a.fileChanged}
		g.components = append(g.components, component{"config", w.Run})
	}
	return g
}

func policyOf(c config.Logs) logs.Policy {
	return logs.Policy{
		Grace: c.Grace, UnknownGrace: c.UnknownGrace,
		MaxAge: time.Duration(c.MaxAge), MaxBytes: int64(c.MaxBytes), MaxServiceBytes: int64(c.MaxServiceBytes),
		Limit: logs.Limit{Share: c.SweepShare, Bytes: int64(c.SweepBytes), Time: c.SweepTime},
	}
}

// client cannot fail: the socket's path has been checked.
func (a *Agent) client(c config.Config) *docker.Client {
	client, err := docker.Dial(c.Docker.Socket)
	if err != nil {
		a.log.Error("dial docker", "err", err)
		client = &docker.Client{}
	}
	client.ServiceLabel = c.Docker.ServiceLabel
	client.Labels = slices.Sorted(maps.Keys(c.Relay.Labels))
	return client
}

func (a *Agent) jobs(g *generation) []janitor.Job {
	c := g.loaded.Config.Logs
	var jobs []janitor.Job
	if schedule, err := janitor.ParseSchedule(c.Schedule); err == nil && len(c.Roots) > 0 {
		jobs = append(jobs, janitor.Job{
			Name: sweepJob, Schedule: schedule, Splay: schedule.Splay(g.host.ID, sweepJob, c.Splay, time.Now()), Run: g.sweep,
		})
	}
	if job, err := a.imageJob(g); err == nil {
		jobs = append(jobs, job)
	}
	return jobs
}

// sweep is the job's run.
func (g *generation) sweep(ctx context.Context, o janitor.Options) janitor.Outcome {
	r, err := g.sweeper.Sweep(ctx, logs.Options{DryRun: o.DryRun, Scheduled: o.By == janitor.BySchedule || o.By == byDisk, By: o.By})
	out := janitor.Outcome{Result: r.Result(), Freed: r.Freed}
	switch {
	case err != nil:
		out.Result, out.Detail = "failed", err.Error()
	case r.Plan.Blind != "":
		out.Detail = r.Plan.Blind
	case !r.First.IsZero():
		out.Detail = fmt.Sprintf("would remove %d folders; until %s scheduled sweeps only plan", len(r.Plan.Removals()), r.First.Format(time.RFC3339))
	case o.DryRun:
		out.Detail = fmt.Sprintf("would remove %d folders, keeps %d", len(r.Plan.Removals()), len(r.Plan.Decisions)-len(r.Plan.Removals()))
	default:
		out.Detail = fmt.Sprintf("removed %d folders, deleted %d for good, refused %d", len(r.Removed), len(r.Purged), len(r.Refused))
		g.rotate(ctx, r.Plan, o.By, &out)
	}
	return out
}

// rotate compresses files of the living after a sweep, if that is configured.
func (g *generation) rotate(ctx context.Context, p logs.Plan, by string, out *janitor.Outcome) {
	files, freed, err := g.sweeper.Rotate(ctx, p, by)
	out.Freed += freed
	if files > 0 {
		out.Detail += fmt.Sprintf(", compressed %d files", files)
	}
	if err != nil {
		out.Result, out.Detail = "partial", out.Detail+": "+err.Error()
	}
}

// run runs the components until ctx ends.
func (g *generation) run(ctx context.Context) error {
	defer close(g.ended)
	return together(ctx, g.components...)
}

// pin tells the ledger what the configuration expects of Docker.
func (a *Agent) pin(g *generation) {
	a.ledger.Expect(g.loaded.Config.Logs.UnknownGrace)
	if root := g.loaded.Config.Docker.DataRoot; root != "" {
		if err := a.ledger.Pin(root); err != nil {
			a.log.Warn("pin data root", "err", err)
		}
	}
}

func (g *generation) close() {
	g.sweeper.Close()
	g.watcher.Client.CloseIdle()
}

// during returns a context that ends with ctx or with the generation: what
// was asked of one does not go on in the next.
func (g *generation) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-g.ended:
			cancel(errReloaded)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

var errReloaded = errors.New("the configuration was reloaded meanwhile: ask again")

// logFolder is where the host would find a container's log folder.
func (g *generation) logFolder(service string, mounts []inventory.Mount, id inventory.ID) string {
	for _, r := range g.roots {
		if folder := r.Pattern.FolderFor(r.Path, service, mounts, id); folder != "" {
			return folder
		}
	}
	return ""
}

// An observer tells the ledgers and the feed what Docker says.
type observer struct {
	agent      *Agent
	generation *generation
}

// Listed tells the ledgers who is there.
func (o *observer) Listed(l inventory.Listing) {
	o.agent.ledger.Listed(l)
	o.agent.images.Running(l.Containers, l.Taken)
}

// overlap is how much of the events from before the end of an earlier process is
// asked for again: a listing may have shown what an event was still to tell.
const overlap = 10 * time.Second

// since is from when on Docker's events are asked for by a process that has not
// heard any. Listings do not count for what was heard: what one of them shows to
// be gone is known to be removed only once its event has come.
func (a *Agent) since() time.Time {
	newest := a.ledger.View().Newest
	if newest.IsZero() {
		return newest
	}
	return newest.Add(-overlap)
}

// Event tells the ledger who comes and goes, and people everything.
func (o *observer) Event(e docker.Event) {
	switch e.Kind {
	case docker.ImagePulled:
		o.generation.images.Pulled(e.Image, e.At)
	case docker.ImageChanged:
		o.generation.images.Changed()
	case docker.Created:
		o.agent.creations.Add(1)
		o.agent.ledger.Created(e.ID, e.Service, e.At)
	case docker.Removed:
		o.agent.ledger.Removed(e.ID, e.At)
	case docker.Died:
		if o.agent.relay != nil {
			o.agent.relay.Ended(e.ID, e.At)
		}
	}
	if e.ID == "" {
		if e.Kind == docker.ImagePulled || e.Detail == "delete" {
			o.agent.feed.Publish(api.Event{Type: strings.Replace(string(e.Kind), "-", ".", 1), Image: e.Image, Time: stamp(e.At), Message: e.Detail})
		}
		return
	}
	o.agent.feed.Publish(api.Event{
		Type: "container." + string(e.Kind), Container: string(e.ID), Service: e.Service, Time: stamp(e.At), Message: e.Detail,
	})
}

// swept tells people what the sweeper did.
func (a *Agent) swept(e logs.Event) {
	a.feed.Publish(api.Event{
		Type: e.Type, Folder: e.Folder, Service: e.Service, Container: e.Container, Message: e.Message, Bytes: e.Bytes,
	})
}

// ran tells people that a job has ended.
func (a *Agent) ran(r janitor.Run) {
	a.feed.Publish(api.Event{Type: "job.ended", Message: r.Job + ": " + r.Result + ": " + r.Detail, Bytes: r.Freed})
	if !r.DryRun {
		a.notify.status(fmt.Sprintf("last %s: %s, %s", r.Job, r.Result, r.Detail))
	}
}
