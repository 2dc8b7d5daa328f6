package api_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/berth-dev/berth/agent/api"
)

// literal answers with fixed values, most of them zero, so that the lists in
// them are nil.
type literal struct {
	feed    *api.Feed
	live    error
	ready   error
	blocked chan struct{} // receives when a run waits for its context
}

var _ api.Backend = (*literal)(nil)

var when = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func folder() api.Folder {
	return api.Folder{Path: "/var/log/apps/orders/4f1c", State: "dead", Verdict: "remove", Bytes: 7}
}

func (l *literal) Status(context.Context) api.Status {
	return api.Status{Verdict: api.OK, Started: when, Jobs: []api.Job{{Name: "logs", Last: &api.Run{ID: "1"}}}}
}
func (l *literal) Live(context.Context) error  { return l.live }
func (l *literal) Ready(context.Context) error { return l.ready }
func (l *literal) Containers(context.Context, string) api.Containers {
	return api.Containers{Synced: true, At: when, Containers: []api.Container{{ID: "4f1c", Name: "orders", Started: &when}}}
}
func (l *literal) Portmaps(context.Context) []api.Portmap { return nil }
func (l *literal) Reservation(context.Context) api.Reservation {
	return api.Reservation{Tasks: []api.TaskReservation{{}}}
}

func (l *literal) Records(context.Context) ([]api.StoreRecord, error) {
	return []api.StoreRecord{{Key: "hosts/a", Record: map[string]any{"host": "a"}}}, nil
}

func (l *literal) WatchRecords(_ context.Context, _ uint64, each func(api.RecordEvent) error) error {
	return each(api.RecordEvent{Type: api.RecordResync, Rev: 1, Records: []api.StoreRecord{{Key: "hosts/a", Record: map[string]any{"host": "a"}}}})
}

func (l *literal) Diagnose(context.Context) []api.Check { return nil }
func (l *literal) LogFolders(context.Context, bool) ([]api.Folder, error) {
	return []api.Folder{folder()}, nil
}

func (l *literal) LogPlan(context.Context, bool) (api.LogPlan, error) {
	return api.LogPlan{Hash: "7c1f"}, nil
}

func (l *literal) LogSweep(_ context.Context, _ api.Peer, r api.SweepRequest) (api.SweepReport, error) {
	if r.Plan == "old" {
		return api.SweepReport{}, api.Conflict("plan old is no longer true")
	}
	return api.SweepReport{DryRun: r.DryRun, Removed: []api.Folder{folder()}}, nil
}

func (l *literal) LogUndo(context.Context, api.Peer, api.UndoRequest) (api.UndoReport, error) {
	return api.UndoReport{}, nil
}

func (l *literal) LogHistory(_ context.Context, limit int) ([]api.Record, error) {
	return make([]api.Record, limit), nil
}

func (l *literal) Images(context.Context) ([]api.Object, error) { return []api.Object{{}}, nil }

func (l *literal) ImagePlan(context.Context, bool) (api.ImagePlan, error) {
	return api.ImagePlan{Objects: []api.Object{{}}}, nil
}

func (l *literal) ImageSweep(_ context.Context, _ api.Peer, r api.ImageSweepRequest) (api.ImageSweepReport, error) {
	return api.ImageSweepReport{DryRun: r.DryRun, Removed: []api.Object{{}}}, nil
}

func (l *literal) ImageHistory(_ context.Context, limit int) ([]api.Record, error) {
	return make([]api.Record, limit), nil
}

func (l *literal) Why(_ context.Context, object string) (api.Why, error) {
	if object == "broken" {
		return api.Why{}, errors.New("read audit: disk on fire")
	}
	return api.Why{Object: object, Container: &api.Container{ID: "4f1c"}}, nil
}

func (l *literal) Relay(context.Context) api.Relay {
	return api.Relay{
		State: api.RelayState{Listen: "docker0:8125", Upstreams: []api.RelayOutlet{{URL: "udp://127.0.0.1:8125"}}},
		Total: api.RelayCount{Dropped: map[string]uint64{"rate": 1}}, Senders: []api.RelaySender{{}}, Sockets: []api.RelaySocket{{}},
	}
}

func (l *literal) RelayTap(_ context.Context, f api.RelayFilter, _ time.Duration) (iter.Seq[api.RelayLine], error) {
	if f.Service == "none" {
		return nil, api.Conflict("there is no relay")
	}
	return slices.Values([]api.RelayLine{{Time: when, Container: "4f1c", Line: f.Name + "placed:1|c"}}), nil
}

func (l *literal) RelayCapture(_ context.Context, _ api.Peer, r api.CaptureRequest) (api.Capture, error) {
	return api.Capture{Path: "/var/lib/berth/captures/x", Datagrams: uint64(r.Seconds)}, nil
}

func (l *literal) Docker0(context.Context) api.Docker0 {
	return api.Docker0{Bridges: []api.Bridge{{Name: "docker0"}}}
}

func (l *literal) Jobs(context.Context) []api.Job { return nil }
func (l *literal) JobRuns(_ context.Context, name string) ([]api.Run, error) {
	if name != "logs" {
		return nil, api.NotFound("there is no job %s", name)
	}
	return nil, nil
}

func (l *literal) RunJob(ctx context.Context, by api.Peer, name string, dryRun bool) (api.Run, error) {
	switch name {
	case "busy":
		return api.Run{}, api.Conflict("job busy runs already")
	case "long":
		l.blocked <- struct{}{}
		<-ctx.Done()
		return api.Run{}, ctx.Err()
	}
	return api.Run{Job: name, DryRun: dryRun, Result: "ok"}, nil
}
func (l *literal) Config(context.Context) api.ConfigShow { return api.ConfigShow{YAML: "{}\n"} }
func (l *literal) CheckConfig(_ context.Context, text []byte) []api.Fault {
	if string(text) == "good" {
		return nil
	}
	return []api.Fault{{Line: 1, Column: 2, Key: "shedule", Message: "unknown key", Suggestion: "schedule"}}
}

func (l *literal) Reload(ctx context.Context, _ api.Peer) (api.Reload, error) {
	return api.Reload{}, api.InvalidConfig(l.CheckConfig(ctx, nil), "1 error; still running generation 4")
}
func (l *literal) Events() *api.Feed { return l.feed }
