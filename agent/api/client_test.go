package api_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/agent/api"
)

// answered fails the test unless a question was answered, with lists that are
// not nil.
func answered[T any](t *testing.T, got T, err error) T {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	return got
}

func TestClientAsksEveryRoute(t *testing.T) {
	r, ctx := serve(t), t.Context()
	version, err := r.Version(ctx)
	if answered(t, version, err).Version != "1.2.3" {
		t.Errorf("version: %+v", version)
	}
	status, err := r.Status(ctx)
	if answered(t, status, err).Verdict != api.OK || status.Reasons == nil || status.Jobs[0].Last.ID != "1" {
		t.Errorf("status: %+v", status)
	}
	containers, err := r.Containers(ctx, "")
	if answered(t, containers, err).Containers[0].Ports == nil {
		t.Errorf("containers: %+v", containers)
	}
	portmaps, err := r.Portmaps(ctx)
	if answered(t, portmaps, err) == nil {
		t.Error("portmaps: null")
	}
	reservation, err := r.Reservation(ctx)
	if answered(t, reservation, err).Tasks[0].Containers == nil {
		t.Errorf("reservation: %+v", reservation)
	}
	records, err := r.Records(ctx)
	if diff := cmp.Diff(any(map[string]any{"host": "a"}), answered(t, records, err)[0].Record); diff != "" {
		t.Errorf("records: %s", diff)
	}
	checks, err := r.Diagnose(ctx)
	if answered(t, checks, err) == nil {
		t.Error("diagnostics: null")
	}
	jobs, err := r.Jobs(ctx)
	if answered(t, jobs, err) == nil {
		t.Error("jobs: null")
	}
	runs, err := r.JobRuns(ctx, "logs")
	if answered(t, runs, err) == nil {
		t.Error("runs: null")
	}
	run, err := r.RunJob(ctx, "a b/c", true)
	if answered(t, run, err).Job != "a b/c" || !run.DryRun {
		t.Errorf("run: %+v", run)
	}
	if err := errors.Join(r.Live(ctx), r.Ready(ctx)); err != nil {
		t.Error(err)
	}
}

func TestClientAsksOfLogsAndConfiguration(t *testing.T) {
	r, ctx := serve(t), t.Context()
	folders, err := r.LogFolders(ctx, false)
	if diff := cmp.Diff([]api.Folder{folder()}, answered(t, folders, err)); diff != "" {
		t.Errorf("folders: %s", diff)
	}
	plan, err := r.LogPlan(ctx, false)
	if answered(t, plan, err).Hash != "7c1f" || plan.Folders == nil {
		t.Errorf("plan: %+v", plan)
	}
	sweep, err := r.LogSweep(ctx, api.SweepRequest{DryRun: true})
	if !answered(t, sweep, err).DryRun || sweep.Refused == nil || sweep.Plan.Folders == nil {
		t.Errorf("sweep: %+v", sweep)
	}
	undo, err := r.LogUndo(ctx, api.UndoRequest{Last: true})
	if answered(t, undo, err).Failed == nil {
		t.Errorf("undo: %+v", undo)
	}
	history, err := r.LogHistory(ctx, 3)
	if len(answered(t, history, err)) != 3 {
		t.Errorf("history: %+v", history)
	}
	why, err := r.Why(ctx, "/var/log/apps/a&b")
	if answered(t, why, err).Object != "/var/log/apps/a&b" || why.Container.Mounts == nil {
		t.Errorf("why: %+v", why)
	}
	config, err := r.Config(ctx)
	if answered(t, config, err).Sources == nil {
		t.Errorf("config: %+v", config)
	}
	good, err := r.CheckConfig(ctx, []byte("good"))
	if answered(t, good, err) == nil || len(good) != 0 {
		t.Errorf("check: %+v", good)
	}
	bad, err := r.CheckConfig(ctx, []byte("shedule: 1"))
	if len(answered(t, bad, err)) != 1 {
		t.Errorf("check: %+v", bad)
	}
	_, err = r.Reload(ctx)
	if problem, ok := errors.AsType[*api.Problem](err); !ok || len(problem.Errors) != 1 {
		t.Errorf("reload: %v", err)
	}
}

func TestClientSaysHowToReachADaemon(t *testing.T) {
	silent := filepath.Join(t.TempDir(), "b.sock")
	listener, err := net.Listen("unix", silent)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	closed := filepath.Join(t.TempDir(), "b.sock")
	tests := map[string]struct {
		socket  string
		timeout time.Duration
		cure    string
	}{
		"nobody listens": {closed, patience, "systemctl start berth"},
		"no answer":      {silent, 10 * time.Millisecond, "--timeout"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := api.NewClient(tt.socket, tt.timeout).Status(t.Context())
			away, ok := errors.AsType[*api.Unreachable](err)
			if !ok || away.Socket != tt.socket || !strings.Contains(err.Error(), tt.cure) {
				t.Errorf("got %v, want a cure with %q", err, tt.cure)
			}
		})
	}
	denied := &api.Unreachable{Socket: silent, Err: os.ErrPermission}
	if !strings.Contains(denied.Error(), "it is open to user") {
		t.Errorf("got %v", denied)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := api.NewClient(silent, patience).Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own cancellation", err)
	}
}
