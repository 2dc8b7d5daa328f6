package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/disk"
	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/identity"
	"github.com/berth-dev/berth/janitor"
	"github.com/berth-dev/berth/janitor/images"
	"github.com/berth-dev/berth/janitor/images/usage"
)

// imageJob is the job that removes images and what else nobody needs in
// Docker's store.
const imageJob = "images"

// kinds are what the image janitor writes into the audit.
func kinds() []string {
	return []string{string(images.Image), string(images.Container), string(images.Volume), string(images.Cached)}
}

// imageSweeper makes the sweeper of Docker's store.
func (a *Agent) imageSweeper(g *generation, client *docker.Client) *images.Sweeper {
	c := g.loaded.Config
	return &images.Sweeper{
		Lister: client, Remover: a.remover(client), Ledger: a.images, Audit: a.audit, Log: a.component("images"), Notify: a.cleared,
		Policy: images.Policy{
			MinAge: c.Images.MinAge, Dangling: c.Images.Dangling, Keep: c.Images.Keep, KeepNewest: c.Images.KeepNewest,
			Stopped: time.Duration(c.Containers.Stopped), Anonymous: time.Duration(c.Volumes.Anonymous),
			Cached: time.Duration(c.BuildCache.Unused),
		},
		Doubt: g.sweeper.Doubt, Space: g.space, Creations: a.creations.Load, Pulls: g.pulls,
	}
}

// remover cannot fail: the socket's path has been checked.
func (a *Agent) remover(client *docker.Client) *docker.Remover {
	r, err := client.Remover()
	if err != nil {
		a.log.Error("dial docker", "err", err)
	}
	return r
}

// space is how much room the file system of Docker's data root wants.
func (g *generation) space(root string) images.Space {
	u, err := disk.Stat(root)
	if err != nil {
		return images.Space{}
	}
	level := g.monitor.Level(root)
	s := images.Space{Free: int64(u.Avail), Urgent: u.Worst() >= g.monitor.Limits.Emergency}
	if level < disk.High && u.Worst() < g.monitor.Limits.High {
		return s
	}
	if over := u.BytesPercent - g.monitor.Limits.Low; over > 0 {
		s.Need = int64(over / 100 * float64(u.Bytes))
	} else if u.InodesPercent >= g.monitor.Limits.Low {
		s.Need = int64(u.Bytes) // how many inodes an image takes nobody knows: all that may go
	}
	return s
}

// imagesShort reports whether Docker's data root is short of space.
func (g *generation) imagesShort() bool {
	root := g.agent.hub.Snapshot().Engine.RootDir
	return root != "" && g.space(root).Need > 0
}

func (a *Agent) imageJob(g *generation) (janitor.Job, error) {
	c := g.loaded.Config.Images
	schedule, err := janitor.ParseSchedule(c.Schedule)
	return janitor.Job{
		Name: imageJob, Schedule: schedule, Splay: schedule.Splay(g.host.ID, imageJob, c.Splay, time.Now()), Run: g.sweepImages,
	}, err
}

// sweepImages is the job's run.
func (g *generation) sweepImages(ctx context.Context, o janitor.Options) janitor.Outcome {
	r, err := g.images.Sweep(ctx, images.Options{DryRun: o.DryRun, UntilLow: o.By == byDisk, By: o.By})
	out := janitor.Outcome{Result: r.Result(), Freed: r.Freed}
	switch {
	case err != nil:
		out.Result, out.Detail = "failed", err.Error()
	case r.Plan.Blind != "":
		out.Detail = r.Plan.Blind
	case o.DryRun:
		out.Detail = fmt.Sprintf("would remove %d of %d, and free %d bytes", len(r.Plan.Removals()), len(r.Plan.Decisions), r.Plan.Frees)
	default:
		out.Detail = fmt.Sprintf("removed %d, refused %d; predicted %d bytes, the disk has %d more", len(r.Removed), len(r.Refused), r.Predicted, r.Freed)
	}
	return out
}

// cleared tells people what the sweeper of images did.
func (a *Agent) cleared(e images.Event) {
	a.feed.Publish(api.Event{Type: e.Type, Image: e.Object, Message: e.Message, Bytes: e.Bytes})
}

// Images returns what is in Docker's store, and what the janitor thinks of it.
func (a *Agent) Images(ctx context.Context) ([]api.Object, error) {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	p := g.images.Plan(ctx, false)
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return a.objects(p.Decisions), nil
}

// ImagePlan returns what a sweep of the images would do now.
func (a *Agent) ImagePlan(ctx context.Context, untilLow bool) (api.ImagePlan, error) {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	p := g.images.Plan(ctx, untilLow)
	return a.imagePlan(p), context.Cause(ctx)
}

// ImageSweep sweeps the images now.
func (a *Agent) ImageSweep(ctx context.Context, by api.Peer, r api.ImageSweepRequest) (api.ImageSweepReport, error) {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	report, err := g.images.Sweep(ctx, images.Options{Plan: r.Plan, DryRun: r.DryRun, UntilLow: r.UntilLow, By: caller(by)})
	if errors.Is(err, images.ErrUnknownPlan) {
		return api.ImageSweepReport{}, api.NotFound("%v", err)
	}
	answer := api.ImageSweepReport{
		Plan: a.imagePlan(report.Plan), DryRun: report.DryRun, Predicted: report.Predicted, Freed: report.Freed, Duration: report.Duration,
		Removed: objectOutcomes(report.Removed), Refused: objectOutcomes(report.Refused), Lost: objectOutcomes(report.Lost),
	}
	if err != nil && len(answer.Removed)+len(answer.Refused) > 0 {
		answer.Fault, err = err.Error(), nil // what was done must be told
	}
	return answer, err
}

// ImageHistory returns the newest records of the audit about Docker's store,
// oldest first.
func (a *Agent) ImageHistory(_ context.Context, limit int) ([]api.Record, error) {
	found, err := a.audit.Find("", limit, kinds()...)
	return recordsOf(found), err
}

// whyImage tells all that is known of an image, a volume, or a container as
// something to be removed.
func (a *Agent) whyImage(ctx context.Context, g *generation, object string) (why api.Why, known bool, err error) {
	story, err := g.images.Why(ctx, object)
	if err != nil || len(story.Decisions)+len(story.Entries)+len(story.History) == 0 {
		return api.Why{}, false, err
	}
	why = api.Why{Object: object, Objects: a.objects(story.Decisions), History: recordsOf(story.History)}
	if len(why.Objects) == 0 {
		for _, e := range story.Entries {
			why.Objects = append(why.Objects, gone(e))
		}
	}
	switch {
	case len(story.Decisions) > 0:
		d := story.Decisions[0]
		why.Verdict = fmt.Sprintf("%s %s: %s: %s", d.Kind, d.Name(), says(string(d.Verdict)), d.Reason)
	case len(why.History) > 0:
		r := why.History[len(why.History)-1]
		why.Verdict = fmt.Sprintf("%s %s was %s at %s: %s", r.Kind, r.Path, r.Action, r.Time.Format(time.RFC3339), r.Reason)
	default:
		why.Verdict = fmt.Sprintf("image %s is not here any more, and it was not Berth that removed it", object)
	}
	return why, true, nil
}

func (a *Agent) imagePlan(p images.Plan) api.ImagePlan {
	plan := api.ImagePlan{Hash: p.Hash(), Blind: p.Blind, Text: p.Text(), Objects: a.objects(p.Decisions), Need: max(p.Need, 0), Bytes: p.Frees}
	plan.Remove = len(p.Removals())
	plan.Keep = len(p.Decisions) - plan.Remove
	return plan
}

func (a *Agent) objects(all []images.Decision) []api.Object {
	known := a.images.View()
	objects := make([]api.Object, 0, len(all))
	for _, d := range all {
		o := api.Object{
			Kind: string(d.Kind), ID: d.ID, Name: d.Name(), Names: d.Names, Verdict: string(d.Verdict), Code: d.Code, Reason: d.Reason,
			Bytes: d.Bytes, Size: d.Size, Used: stamp(d.Used), Until: d.Until, Worth: d.Worth,
		}
		if d.Kind == images.Image {
			remembered(&o, known.Images[d.ID])
		}
		objects = append(objects, o)
	}
	return objects
}

// remembered adds what the ledger knows of an image.
func remembered(o *api.Object, e usage.Entry) {
	o.Came, o.Pull, o.Uses, o.Services = stamp(e.Came()), e.Pull, e.Uses, e.Services
}

// gone is an image that is not here any more.
func gone(e usage.Entry) api.Object {
	o := api.Object{
		Kind: string(images.Image), ID: e.ID, Name: e.ID, Names: e.Names, Verdict: "gone", Size: e.Size, Used: stamp(e.Used),
		Reason: "it was last listed before " + e.Gone.UTC().Format(time.RFC3339),
	}
	if len(e.Names) > 0 {
		o.Name = e.Names[0]
	}
	remembered(&o, e)
	return o
}

func objectOutcomes(all []images.Outcome) []api.Object {
	objects := make([]api.Object, 0, len(all))
	for _, o := range all {
		objects = append(objects, api.Object{Kind: string(o.Kind), ID: o.ID, Name: o.Name, Code: o.Code, Reason: o.Reason, Bytes: o.Bytes})
	}
	return objects
}

// checkImages says how the image janitor is, and who does its work beside it.
func (a *Agent) checkImages(g *generation, d *diagnosis) {
	s := g.images.Stats()
	switch {
	case s.Lost > 0:
		d.add(checkFail, "images", fmt.Sprintf("%d images were removed while a container was made from them", s.Lost), "pull them again, and tell us: this must not happen")
	case s.Blind != "":
		d.add(checkWarn, "images", "nothing may be removed: "+s.Blind, "see docker above")
	default:
		d.ok("images", "%d are here, %d of them unused", s.Images, s.Unused)
	}
	if err := a.images.Err(); err != nil {
		d.add(checkWarn, "images", "their ledger cannot be written: "+err.Error(), "make room in "+g.loaded.Config.StateDir)
	}
	if c, found := (identity.Reader{}).ReadCleaning(); found {
		checkCleaning(c, d)
	}
}

// checkCleaning says who else removes images here.
func checkCleaning(c identity.Cleaning, d *diagnosis) {
	switch {
	case c.Off:
		d.ok("ecs agent", "it leaves images alone: %s", c.Why)
	case c.Untracked:
		d.add(checkWarn, "ecs agent", "it also removes images that it did not pull, by build date and size",
			"take ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP out of /etc/ecs/ecs.config: Berth removes them by their use")
	default:
		d.add(checkWarn, "ecs agent", fmt.Sprintf("it removes images by itself: %d every %v, %v after their pull, whoever will need them", c.Images, c.Every, c.MinAge),
			"set ECS_DISABLE_IMAGE_CLEANUP=true in /etc/ecs/ecs.config to leave that to Berth")
	}
}
