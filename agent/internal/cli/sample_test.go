package cli_test

import (
	"context"
	"strings"
	"time"

	"github.com/berth-dev/berth/agent/api"
)

// noon is when all tests look.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

// id is a whole container ID that begins with these digits.
func id(digits string) string { return digits + strings.Repeat("0", 64-len(digits)) }

// hostile is what a tenant may call a container.
const hostile = "web\x1b[31m\n\u202egnp.exe\x9b\u2028"

// A sample answers with what a busy host would. Tests change its fields.
type sample struct {
	feed    api.Feed
	status  api.Status
	sweep   api.SweepReport
	images  api.ImageSweepReport
	undo    api.UndoReport
	run     api.Run
	checks  []api.Check
	refused error         // of what operates
	empty   bool          // lists are
	undone  []string      // what was asked back
	hold    chan struct{} // what takes long waits for its end; nil: nothing takes long
}

var _ api.Backend = (*sample)(nil)

func newSample() *sample {
	return &sample{
		status: busy(),
		run:    api.Run{ID: "12", Job: "logs", Started: noon, Duration: 1234 * time.Millisecond, Result: "ok", Detail: "removed 2 folders"},
		sweep: api.SweepReport{
			Plan: plan(), Removed: []api.Folder{gone("4f1c2d3e4a5b", "orders", 1932735283), gone("9a20", "billing", 4096)},
			Purged:  []api.Folder{{Path: "/var/log/apps/web/containers/77be", Service: "web", Container: id("77be"), Reason: "its undo window is over", Bytes: 10 << 20}},
			Refused: []api.Folder{{Path: "/var/log/apps/web/containers/88cf", Service: "web", Container: id("88cf"), Reason: "process 4711 has app.log open", Bytes: -1}},
			Freed:   10 << 20, Held: 1932739379, Duration: 1200 * time.Millisecond,
		},
		images: api.ImageSweepReport{
			Plan: imagePlan(), Removed: objects()[:2], Refused: []api.Object{{Kind: "image", ID: "sha256:" + id("77be"), Name: "registry.example/web:12", Code: "raced", Reason: "container 5e0d1c2d3e4a (web) was made from it meanwhile"}},
			Predicted: 214958080, Freed: 215003136, Duration: 11200 * time.Millisecond,
		},
		undo: api.UndoReport{
			Restored: []api.Folder{{Path: "/var/log/apps/orders/containers/4f1c2d3e4a5b", Service: "orders", Container: id("4f1c2d3e4a5b"), Reason: "restored by uid 0", Bytes: 1932735283, Until: noon.Add(24 * time.Hour)}},
			Failed:   []api.Folder{},
		},
		checks: []api.Check{
			{Level: "ok", Subject: "docker", Message: "/var/run/docker.sock answers in 2ms (API 1.44)"},
			{Level: "warn", Subject: "ecs", Message: "the agent's own image cleanup is on", Cure: "set ECS_DISABLE_IMAGE_CLEANUP=true"},
			{Level: "fail", Subject: "logs", Message: "/var/log/apps is read-only for this service", Cure: "systemctl restart berth"},
		},
	}
}

// busy is the status of a host where nothing is wrong.
func busy() api.Status {
	return api.Status{
		Verdict: api.OK, Version: "0.4.1", PID: 812, Started: ago(76 * time.Hour), Generation: 4,
		Host:   api.Host{ID: "i-0abc123", Cluster: "prod", Address: "10.0.3.17", Source: "imds"},
		Config: api.ConfigState{File: "/etc/berth/berth.yaml", Loaded: ago(5 * time.Hour)},
		Docker: api.Docker{
			Socket: "/var/run/docker.sock", Connected: true, Version: "25.0.16", APIVersion: "1.44",
			Containers: 44, Up: 41, LastEvent: ago(400 * time.Millisecond), LastList: ago(time.Minute),
		},
		Logs:  api.Logs{Roots: []api.LogRoot{{Path: "/var/log/apps", Pattern: "{service}/containers/{id}"}}, Restorable: 2, HeldBytes: 1932735283},
		Relay: relayState(),
		Store: api.StoreState{Engine: "embedded", Published: ago(12 * time.Second), Mappings: 41},
		Disks: []api.Disk{
			{Path: "/var/log/apps", Use: "logs", Bytes: 100 << 30, FreeBytes: 62 << 30, BytesPercent: 38, InodesPercent: 4},
			{Path: "/var/lib/docker", Use: "docker", Bytes: 100 << 30, FreeBytes: 39 << 30, BytesPercent: 61, InodesPercent: 88},
		},
		Jobs: jobs(),
	}
}

// ill is the status of a host where much is wrong.
func ill() api.Status {
	s := busy()
	s.Verdict = api.Degraded
	s.Reasons = []string{"docker is blind for 3m12s: the event stream ended", "the newest configuration is refused", "log root /srv/logs cannot be swept"}
	s.Docker.Connected, s.Docker.Blind, s.Docker.BlindSince = false, "the event stream ended", ago(192*time.Second)
	s.Logs.Roots = append(s.Logs.Roots, api.LogRoot{Path: "/srv/logs", Fault: "permission denied"})
	s.Logs.Blind = "docker cannot be asked"
	s.Relay.Faults = []string{"upstream unixgram:///var/run/datadog/dsd.socket is away for 12s: no such file or directory"}
	s.Store.Fault = "dial tcp: i/o timeout"
	s.Config.Rejected = []api.Fault{{File: "/etc/berth/berth.yaml", Line: 12, Column: 5, Key: "logs.shedule", Message: "unknown key", Suggestion: "schedule"}}
	s.Config.Restart = []string{"state_dir"}
	s.Limited = []string{"cannot read /proc of other users: run as root, or grant CAP_SYS_PTRACE"}
	s.Disks[1].BytesPercent = 97
	return s
}

func jobs() []api.Job {
	return []api.Job{
		{
			Name: "logs", Schedule: "0 * * * *", Splay: "3m", Next: noon.Add(46 * time.Minute), Runs: 76,
			Last: &api.Run{ID: "11", Job: "logs", Started: ago(14 * time.Minute), Duration: 1200 * time.Millisecond, Result: "ok", Freed: 1932735283, Detail: "removed 3 folders, deleted 2 for good, refused 0"},
		},
		{Name: "images", Schedule: "30 3 * * *", Splay: "30m", Running: true, Runs: 3, Failures: 1},
	}
}

func gone(digits, service string, bytes int64) api.Folder {
	return api.Folder{
		Path: "/var/log/apps/" + service + "/containers/" + digits, Root: "/var/log/apps", Service: service, Container: id(digits),
		State: "dead", Verdict: "remove", Code: "gone", Reason: "its container was removed at 2026-11-23T09:58:01Z",
		Bytes: bytes, Files: 12, Written: ago(2 * time.Hour), Until: noon.Add(58 * time.Minute),
	}
}

func folders() []api.Folder {
	return []api.Folder{
		gone("4f1c2d3e4a5b", "orders", 1932735283),
		{Path: "/var/log/apps/orders/containers/5e0d", Service: "orders", Container: id("5e0d"), State: "live", Verdict: "keep", Code: "listed", Reason: "its container is running", Bytes: -1, Files: -1},
		{Path: "/var/log/apps/orders/containers/6f6f", Service: "orders", Container: id("6f6f"), State: "dead", Verdict: "keep", Code: "grace", Reason: "its container has been gone for less than the grace time", Bytes: 1 << 20, Files: 3, Written: ago(time.Hour), Until: noon.Add(20 * time.Minute)},
		{Path: "/var/log/apps/" + hostile, Service: hostile, Container: "cafe", State: "restorable", Verdict: "purge", Code: "restorable", Reason: "removed", Bytes: 10, Files: 1, Until: noon.Add(time.Minute)},
	}
}

func plan() api.LogPlan {
	return api.LogPlan{
		Hash: "7c1f0a9be2d4", Remove: 1, Keep: 3, Bytes: 1932735283, Folders: folders(), Notes: []string{"/var/log/apps/readme.txt is no folder"},
		Text: "remove \"/var/log/apps/orders/containers/4f1c2d3e4a5b\" inode 12: gone: its container was removed at 2026-11-23T09:58:01Z\n" +
			"keep   \"/var/log/apps/orders/containers/6f6f\" inode 14: grace: its container has been gone for less than the grace time\n",
	}
}

func records() []api.Record {
	return []api.Record{
		{Seq: 1, Time: ago(26 * time.Hour), Action: "removed", Path: "/var/log/apps/orders/containers/4f1c2d3e4a5b", Service: "orders", Container: id("4f1c2d3e4a5b"), Plan: "7c1f0a9be2d4", Code: "gone", Reason: "its container was removed at 2026-11-22T09:58:01Z", Bytes: 1932735283, By: "schedule"},
		{Seq: 2, Time: ago(25 * time.Hour), Action: "restored", Path: "/var/log/apps/orders/containers/4f1c2d3e4a5b", Service: "orders", Container: id("4f1c2d3e4a5b"), Plan: "7c1f0a9be2d4", Code: "operator", Reason: "restored by uid 0", Bytes: 1932735283, By: "uid 0"},
		{Seq: 3, Time: ago(time.Hour), Action: "refused", Path: "/var/log/apps/web", Service: "web", Container: "88cf", Plan: "8d2e", Code: "open", Reason: "process 4711 has " + hostile + " open", Bytes: -1, By: "schedule"},
	}
}

func containers() []api.Container {
	started, ended := ago(50*time.Hour), ago(3*time.Minute)
	return []api.Container{
		{
			ID: id("4f1c2d3e4a5b"), Name: "orders", Image: "registry.example/orders:211", Service: "orders", Family: "orders:211", ECS: true,
			Task: "arn:aws:ecs:us-east-1:123456789012:task/prod/0123456789abcdef0123456789abcdef", State: "running", Health: "healthy", Started: &started,
			Addresses: []string{"172.17.0.2"}, Reserved: api.Reserved{CPU: 256, Memory: 512}, LogFolder: "/var/log/apps/orders/containers/4f1c2d3e4a5b",
			Ports: []api.Port{{Container: 5555, Protocol: "tcp", HostIP: "0.0.0.0", Host: 32768}, {Container: 5555, Protocol: "tcp", HostIP: "::", Host: 32768}, {Container: 8080, Protocol: "tcp", HostIP: "10.0.3.17", Host: 80}},
		},
		{ID: id("9a20"), Name: "billing", Service: "billing", State: "exited", ExitCode: 137, Finished: &ended},
		{ID: id("5e0d"), Name: hostile, Service: hostile, State: "running", Health: "unhealthy", Addresses: []string{"172.17.0.3"}},
	}
}

func (s *sample) Status(context.Context) api.Status { return s.status }
func (s *sample) Live(context.Context) error        { return nil }
func (s *sample) Ready(context.Context) error       { return nil }
func (s *sample) Containers(context.Context, string) api.Containers {
	return api.Containers{Synced: true, At: noon, Containers: some(s, containers())}
}

func (s *sample) Portmaps(context.Context) []api.Portmap {
	return some(s, []api.Portmap{
		{Service: "orders", Instance: 1, Container: "orders", ID: id("4f1c2d3e4a5b"), Port: 5555, Protocol: "tcp", HostIP: "10.0.3.17", HostPort: 32768, Name: "jmxmp", URL: "service:jmx:jmxmp://10.0.3.17:32768"},
		{Service: "web", Instance: 2, ID: id("5e0d"), Port: 8080, Protocol: "tcp", HostIP: "10.0.3.17", HostPort: 80},
	})
}

func (s *sample) Reservation(context.Context) api.Reservation {
	return api.Reservation{
		CPU: api.Vector{Registered: 4096, Reserved: 1024, Scheduled: 768, Unmanaged: 128}, Memory: api.Vector{Registered: 15568, Reserved: 16384, Scheduled: 512, Unmanaged: 64},
		GPU: api.Vector{Registered: 2, Reserved: 1, Scheduled: 1}, Ports: []string{"80/tcp"}, Pending: 1, Stopping: 2, Unknown: 1,
		Source: "introspection+tmds+docker", Notes: []string{"task 0123 has no size of its own"},
		Tasks: []api.TaskReservation{{Task: containers()[0].Task, Service: "orders", Status: "counted", Containers: []string{id("4f1c2d3e4a5b")}, CPU: 256, Memory: 512, Why: "the sum of its containers"}},
	}
}

// published is a record with a port that others reach and one that they do not.
func published() map[string]any {
	return map[string]any{"v": 1, "host": "i-0abc123", "cluster": "prod", "state": "ok", "maps": []any{
		map[string]any{"svc": "orders", "n": 1, "ctr": "app", "id": "4f1c2d3e4a5b", "c": 5555, "p": "tcp", "ip": "10.0.3.17", "h": 32768, "name": "jmxmp", "url": "service:jmx:jmxmp://10.0.3.17:32768"},
		map[string]any{"svc": hostile, "n": 2, "ctr": hostile, "id": "5e0d1c2d3e4a", "c": 8080, "p": "tcp", "h": 80, "local": true},
	}}
}

func (s *sample) Records(context.Context) ([]api.StoreRecord, error) {
	return some(s, []api.StoreRecord{{Key: "hosts/i-0abc123", Rev: 41, Expires: noon.Add(78 * time.Second), Record: published()}}), nil
}

func (s *sample) WatchRecords(ctx context.Context, _ uint64, each func(api.RecordEvent) error) error {
	records, _ := s.Records(ctx)
	for _, e := range []api.RecordEvent{{Type: api.RecordResync, Rev: 41, Records: records}, {Type: api.RecordGone, Rev: 42, Cause: "expired", Records: records}} {
		if err := each(e); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s *sample) Diagnose(context.Context) []api.Check { return some(s, s.checks) }
func (s *sample) LogFolders(context.Context, bool) ([]api.Folder, error) {
	return some(s, folders()), nil
}
func (s *sample) LogPlan(context.Context, bool) (api.LogPlan, error) { return plan(), nil }
func (s *sample) LogSweep(_ context.Context, _ api.Peer, r api.SweepRequest) (api.SweepReport, error) {
	s.wait()
	report := s.sweep
	if report.DryRun = r.DryRun; r.DryRun {
		report.Removed, report.Purged, report.Refused = nil, nil, nil
	}
	return report, s.refused
}

func (s *sample) LogUndo(_ context.Context, _ api.Peer, r api.UndoRequest) (api.UndoReport, error) {
	s.undone = append(s.undone, r.Container)
	if r.Container == "nothing" {
		return api.UndoReport{}, api.NotFound("nothing of it can be brought back")
	}
	return s.undo, s.refused
}

func (s *sample) LogHistory(context.Context, int) ([]api.Record, error) {
	return some(s, records()), nil
}

func objects() []api.Object {
	return []api.Object{
		{Kind: "container", ID: id("9a20"), Name: "probe", Names: []string{"probe"}, Verdict: "remove", Code: "stopped", Reason: "it ended at 2026-11-20T09:58:01Z", Used: ago(74 * time.Hour)},
		{Kind: "image", ID: "sha256:" + id("4f1c2d3e4a5b"), Name: "registry.example/orders:209", Names: []string{"registry.example/orders:209"}, Verdict: "remove", Code: "unused", Reason: "it was last used at 2026-11-19T12:00:00Z", Bytes: 214958080, Size: 734003200, Came: ago(120 * time.Hour), Used: ago(96 * time.Hour), Pull: 9 * time.Second, Uses: 14, Services: map[string]int{"orders": 14}},
		{Kind: "image", ID: "sha256:" + id("5e0d"), Name: "registry.example/orders:211", Names: []string{"registry.example/orders:211"}, Verdict: "keep", Code: "in-use", Reason: "container 4f1c2d3e4a5b (orders) is running", Size: 740294656, Came: ago(26 * time.Hour), Used: ago(time.Second), Uses: 9},
		{Kind: "image", ID: "sha256:" + id("6f6f"), Name: hostile, Names: []string{hostile}, Verdict: "keep", Code: "used", Reason: "it was last used at 2026-11-23T11:00:00Z; kept until 2026-11-26T11:00:00Z", Size: 1 << 20, Came: ago(80 * time.Hour), Used: ago(time.Hour), Uses: 1, Until: noon.Add(71 * time.Hour)},
	}
}

func imagePlan() api.ImagePlan {
	return api.ImagePlan{
		Hash: "51d0c7aa90be", Remove: 2, Keep: 2, Bytes: 214958080, Objects: objects(),
		Text: "remove image sha256:4f1c [\"registry.example/orders:209\"] 214958080 bytes: unused: it was last used at 2026-11-19T12:00:00Z\n",
	}
}

func (s *sample) Images(context.Context) ([]api.Object, error) { return some(s, objects()), nil }

func (s *sample) ImagePlan(context.Context, bool) (api.ImagePlan, error) { return imagePlan(), nil }

func (s *sample) ImageSweep(_ context.Context, _ api.Peer, r api.ImageSweepRequest) (api.ImageSweepReport, error) {
	report := s.images
	if report.DryRun = r.DryRun; r.DryRun {
		report.Removed, report.Refused, report.Lost = nil, nil, nil
	}
	return report, s.refused
}

func (s *sample) ImageHistory(context.Context, int) ([]api.Record, error) {
	return some(s, []api.Record{{
		Seq: 7, Time: ago(8 * time.Hour), Action: "purged", Kind: "image", Path: "registry.example/orders:208", Container: id("88cf"),
		Plan: "51d0c7aa90be", Code: "unused", Reason: "it was last used at 2026-11-19T12:00:00Z", Bytes: 1 << 28, By: "schedule",
	}}), nil
}

func (s *sample) Why(_ context.Context, object string) (api.Why, error) {
	if object == "nothing" {
		return api.Why{}, api.NotFound("no container is called %q", object)
	}
	if strings.Contains(object, "orders:209") {
		o, history := objects()[1:2], []api.Record{{Seq: 9, Time: ago(time.Hour), Action: "refused", Kind: "image", Path: object, Container: id("4f1c2d3e4a5b"), Plan: "51d0c7aa90be", Code: "raced", Reason: "container 5e0d1c2d3e4a (web) was made from it meanwhile", By: "schedule"}}
		return api.Why{Object: object, Verdict: "image registry.example/orders:209: will be removed by the next sweep: " + o[0].Reason, Objects: o, History: history}, nil
	}
	return api.Why{Object: object, Verdict: "/var/log/apps/orders/containers/4f1c2d3e4a5b: will be removed by the next sweep: its container is gone", Container: &containers()[0], Folders: folders()[:1], History: records()[:2]}, nil
}
func (s *sample) Jobs(context.Context) []api.Job { return some(s, jobs()) }
func (s *sample) JobRuns(context.Context, string) ([]api.Run, error) {
	return some(s, []api.Run{*jobs()[0].Last, {ID: "12", Job: "logs", Started: ago(time.Minute), Duration: 30 * time.Millisecond, Result: "blind", Detail: "docker cannot be asked", DryRun: true, By: "uid 0"}}), nil
}

func (s *sample) wait() {
	if s.hold != nil {
		<-s.hold
	}
}

func (s *sample) RunJob(context.Context, api.Peer, string, bool) (api.Run, error) {
	s.wait()
	return s.run, s.refused
}

func (s *sample) Config(context.Context) api.ConfigShow {
	return api.ConfigShow{YAML: "logs:\n  grace: 2h\n", Sources: map[string]string{"logs.grace": "/etc/berth/berth.yaml:2", "logs.undo": "default"}}
}
func (s *sample) CheckConfig(context.Context, []byte) []api.Fault { return nil }
func (s *sample) Reload(context.Context, api.Peer) (api.Reload, error) {
	return api.Reload{Generation: 5, Changed: []string{"logs.grace", "logs.undo"}, Restart: []string{"state_dir"}}, s.refused
}
func (s *sample) Events() *api.Feed { return &s.feed }

// some is the list, or none of it.
func some[T any](s *sample, all []T) []T {
	if s.empty {
		return nil
	}
	return all
}
