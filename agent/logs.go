package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/logs"
)

// LogFolders returns every log folder with its verdict, and what was removed.
// With measured it also looks into the folders of living containers.
func (a *Agent) LogFolders(ctx context.Context, measured bool) ([]api.Folder, error) {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	look := g.sweeper.Plan
	if measured {
		look = g.sweeper.Folders
	}
	folders := foldersOf(look(ctx))
	for _, r := range g.sweeper.Yard() {
		folders = append(folders, removedFolder(r))
	}
	return folders, context.Cause(ctx)
}

// LogPlan returns what a sweep would do now, with or without the limits of one.
func (a *Agent) LogPlan(ctx context.Context, unlimited bool) (api.LogPlan, error) {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	look := g.sweeper.Plan
	if unlimited {
		look = g.sweeper.PlanUnlimited
	}
	return planOf(look(ctx)), context.Cause(ctx)
}

// LogSweep sweeps now.
func (a *Agent) LogSweep(ctx context.Context, by api.Peer, r api.SweepRequest) (api.SweepReport, error) {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	report, err := g.sweeper.Sweep(ctx, logs.Options{
		Plan: r.Plan, DryRun: r.DryRun, Purge: r.Purge, Unlimited: r.Unlimited, By: caller(by),
	})
	if errors.Is(err, logs.ErrUnknownPlan) {
		return api.SweepReport{}, api.NotFound("%v", err)
	}
	answer := api.SweepReport{
		Plan: planOf(report.Plan), DryRun: report.DryRun, Freed: report.Freed, Duration: report.Duration,
		Removed: outcomes(report.Removed, "restorable"), Purged: outcomes(report.Purged, "purged"),
		Refused: outcomes(report.Refused, "kept"),
	}
	for _, f := range answer.Removed {
		answer.Held += max(f.Bytes, 0)
	}
	if err != nil && len(answer.Removed)+len(answer.Purged)+len(answer.Refused) > 0 {
		answer.Fault, err = err.Error(), nil // what was done must be told
	}
	return answer, err
}

// LogUndo brings removed folders back.
func (a *Agent) LogUndo(ctx context.Context, by api.Peer, r api.UndoRequest) (api.UndoReport, error) {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	restored, failed, err := g.sweeper.Restore(ctx, logs.Selector{Object: r.Container, Last: r.Last, Plan: r.Plan}, caller(by))
	if errors.Is(err, logs.ErrNothing) {
		return api.UndoReport{}, api.NotFound("%v", err)
	}
	return api.UndoReport{Restored: outcomes(restored, "live"), Failed: outcomes(failed, "restorable")}, err
}

// LogHistory returns the newest records of the audit, oldest first.
func (a *Agent) LogHistory(_ context.Context, limit int) ([]api.Record, error) {
	found, err := a.audit.Find("", limit, "")
	return recordsOf(found), err
}

// Why tells all that is known of a container or folder.
func (a *Agent) Why(ctx context.Context, object string) (api.Why, error) {
	g := a.generation()
	ctx, cancel := g.during(ctx)
	defer cancel()
	object = path.Clean(strings.TrimSpace(object))
	container, known := a.find(object)
	if !known {
		if why, found, err := a.whyImage(ctx, g, object); found || err != nil {
			return why, err
		}
	}
	if known && !strings.HasPrefix(object, "/") {
		object = string(container.ID)
	}
	if !strings.HasPrefix(object, "/") && (!inventory.IsHex(object) || len(object) < 4) {
		return api.Why{}, api.NotFound("nothing is called %q: give a container's or an image's name, at least 4 digits of an ID, or a folder's path", object)
	}
	story, err := g.sweeper.Why(ctx, object)
	if err != nil {
		return api.Why{}, err
	}
	why := api.Why{Object: object, History: recordsOf(story.History)}
	if known {
		c := containerOf(container)
		why.Container = &c
	}
	for _, d := range story.Decisions {
		why.Folders = append(why.Folders, decided(d))
	}
	for _, r := range story.Removed {
		why.Folders = append(why.Folders, removedFolder(r))
	}
	why.Verdict = sentence(why)
	return why, nil
}

// find returns the container that an operator means by a name, the leading
// digits of an ID, or its log folder's path.
func (a *Agent) find(object string) (inventory.Container, bool) {
	for _, c := range a.hub.Snapshot().Containers {
		if slices.Contains(c.Names, object) {
			return c, true
		}
		if len(object) >= 4 && strings.HasPrefix(string(c.ID), object) || c.LogFolder != "" && logFolder(c) == object {
			return c, true
		}
	}
	return inventory.Container{}, false
}

// sentence is the short answer to why.
func sentence(w api.Why) string {
	switch {
	case len(w.Folders) > 0:
		f := w.Folders[0]
		return fmt.Sprintf("%s: %s: %s", f.Path, says(f.Verdict), f.Reason)
	case len(w.History) > 0:
		r := w.History[len(w.History)-1]
		return fmt.Sprintf("%s was %s at %s: %s", r.Path, r.Action, r.Time.Format("2006-01-02T15:04:05Z07:00"), r.Reason)
	case w.Container != nil:
		return fmt.Sprintf("container %s is %s and has no log folder", w.Container.Name, w.Container.State)
	default:
		return "nothing is known of it: it is not on this host, and the audit does not name it"
	}
}

// says puts a folder's verdict into a sentence.
func says(verdict string) string {
	switch verdict {
	case string(logs.Remove):
		return "will be removed by the next sweep"
	case "purge":
		return "is removed and can be restored"
	default:
		return "is kept"
	}
}

func planOf(p logs.Plan) api.LogPlan {
	plan := api.LogPlan{Hash: p.Hash(), Blind: p.Blind, Text: p.Text(), Notes: p.Notes, Folders: foldersOf(p)}
	for _, f := range plan.Folders {
		switch {
		case f.Verdict == string(logs.Remove):
			plan.Remove++
			plan.Bytes += max(f.Bytes, 0)
		case f.Code == logs.CodeLimited:
			plan.Limited++
		}
	}
	plan.Keep = len(plan.Folders) - plan.Remove
	return plan
}

func foldersOf(p logs.Plan) []api.Folder {
	folders := make([]api.Folder, 0, len(p.Decisions))
	for _, d := range p.Decisions {
		folders = append(folders, decided(d))
	}
	return folders
}

func decided(d logs.Decision) api.Folder {
	return api.Folder{
		Path: d.Path(), Root: d.Root, Service: d.Service, Container: d.Name, State: stateOf(d.Code),
		Verdict: string(d.Verdict), Code: d.Code, Reason: d.Reason,
		Bytes: d.Bytes, Files: d.Files, Written: d.Written, Until: d.Until,
	}
}

// stateOf says of a verdict's code what the folder's container is.
func stateOf(code string) string {
	switch code {
	case logs.CodeListed, logs.CodeProcess:
		return "live"
	case logs.CodeUnknown, logs.CodeNeverSeen, logs.CodeMissing, logs.CodeBlind:
		return "unknown"
	default:
		return "dead"
	}
}

func removedFolder(r logs.Removed) api.Folder {
	f := outcome(r.Outcome, "restorable")
	f.Verdict = "purge"
	if r.Purging {
		f.State = "purging"
	}
	if r.Code == logs.CodeOrphan {
		f.State, f.Verdict = "orphan", string(logs.Keep)
	}
	return f
}

func outcomes(all []logs.Outcome, state string) []api.Folder {
	folders := make([]api.Folder, 0, len(all))
	for _, o := range all {
		folders = append(folders, outcome(o, state))
	}
	return folders
}

func outcome(o logs.Outcome, state string) api.Folder {
	return api.Folder{
		Path: o.Path, Root: o.Root, Service: o.Service, Container: o.Container, State: state,
		Code: o.Code, Reason: o.Reason, Bytes: o.Bytes, Files: o.Files, Until: o.Until,
	}
}

func recordsOf(found []audit.Record) []api.Record {
	records := make([]api.Record, 0, len(found))
	for _, r := range found {
		records = append(records, api.Record{
			Seq: r.Seq, Time: r.Time, Action: r.Action, Path: r.Path, Service: r.Service, Container: r.Container,
			Kind: r.Kind, Plan: r.Plan, Code: r.Code, Reason: r.Reason, Bytes: r.Bytes, By: r.By,
		})
	}
	return records
}

// logFolder is the container's log folder as it is on the host: named by 12
// digits of its ID unless one named by all of them exists.
func logFolder(c inventory.Container) string {
	if c.LogFolder == "" {
		return ""
	}
	whole := path.Join(path.Dir(c.LogFolder), string(c.ID))
	if _, err := os.Lstat(whole); err == nil {
		return whole
	}
	return c.LogFolder
}
