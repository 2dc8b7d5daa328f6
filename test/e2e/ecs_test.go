package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/test/engine"
)

const (
	ecsTaskID = "8f03e41243824aea923aca126495f665"
	ecsTask   = "arn:aws:ecs:eu-west-1:111122223333:task/prod/" + ecsTaskID
)

// An ecsAgent answers as a host's ECS agent does, for one task.
type ecsAgent struct {
	*httptest.Server
	desired atomic.Value // string
	calls   atomic.Int64 // for metadata
}

func newECSAgent(t *testing.T) *ecsAgent {
	a := &ecsAgent{}
	a.desired.Store("RUNNING")
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/tasks":
			fmt.Fprintf(w, `{"Tasks":[{"Arn":%q,"DesiredStatus":%q,"KnownStatus":"RUNNING","Family":"orders","Version":"211"}]}`, ecsTask, a.desired.Load())
		case "/v1/metadata":
			fmt.Fprint(w, `{"Cluster":"prod","ContainerInstanceArn":"arn:aws:ecs:eu-west-1:111122223333:container-instance/prod/4d39"}`)
		case "/v4/" + ecsTaskID + "-1/task":
			a.calls.Add(1)
			fmt.Fprintf(w, `{"TaskARN":%q,"ServiceName":"orders-live","Limits":{"CPU":0.5,"Memory":300}}`, ecsTask)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// member says that a container is one of the task.
func member(name string) map[string]string {
	return map[string]string{
		"com.amazonaws.ecs.task-arn": ecsTask, "com.amazonaws.ecs.container-name": name,
		"com.amazonaws.ecs.task-definition-family": "orders", "com.amazonaws.ecs.task-definition-version": "211",
	}
}

// A task of ECS Service Connect: its pause container holds the port of its app,
// and its size is the whole task's.
func TestATaskIsCountedAndReachedAsECSMadeIt(t *testing.T) {
	t.Parallel()
	e, agent := engine.Default(t), newECSAgent(t)
	d := launch(t, settings{"docker.socket": e.Socket(), "ecs.introspection": agent.URL, "ecs.metadata": agent.URL})
	secret := "ECS_CONTAINER_METADATA_SECRET=hunter2"
	pause := e.Run(t, engine.Options{Ports: []string{"5555"}, Labels: member("~internal~ecs~pause-app")})
	app := e.Run(t, engine.Options{
		Network: "container:" + string(pause), Labels: member("app"), CPUShares: 128, Reservation: 64 << 20,
		Env: []string{"ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/" + ecsTaskID + "-1", secret},
	})
	if p := d.mapped(app); p.Name != "jmxmp" || p.HostPort == 0 || p.Container != "app" || p.ID != string(app) {
		t.Errorf("port mapping %+v, want the pause container's port as the app's", p)
	}
	share := d.shareOf(t, "the size of the whole task", func(s api.TaskReservation) bool { return s.CPU == 512 })
	if share.Memory != 300 || !share.Exact || share.ECSService != "orders-live" || share.Service != "orders" || share.Status != "counted" {
		t.Errorf("got %+v", share)
	}
	agent.desired.Store("STOPPED")
	e.Kill(t, app)
	d.shareOf(t, "that it is to stop", func(s api.TaskReservation) bool { return s.Status == "stopping" })
	r := ask[api.Reservation](d, "reservation")
	if r.CPU.Reserved != r.CPU.Scheduled+512 || r.Stopping != 1 || agent.calls.Load() != 1 {
		t.Errorf("after %d calls for metadata: %+v, want one call, and the task reserved alone", agent.calls.Load(), r)
	}
	eventually(t, "the record of the container instance", func() bool { return strings.Contains(d.record(), `"ci":"4d39"`) })
	if record := d.record(); strings.Contains(record, "hunter2") || !strings.Contains(record, `"sched"`) {
		t.Errorf("the record is %s", record)
	}
}

// shareOf waits until the task's share is as it has to be.
func (d *daemon) shareOf(t *testing.T, what string, holds func(api.TaskReservation) bool) (found api.TaskReservation) {
	t.Helper()
	eventually(t, what, func() bool {
		for _, s := range ask[api.Reservation](d, "reservation").Tasks {
			if s.Task == ecsTask && holds(s) {
				found = s
				return true
			}
		}
		return false
	})
	return found
}

// A host that does not come back takes its record along: the next daemon that
// reads its store finds nothing of it there, before Docker has answered.
func TestAFarewellTakesTheRecordAlong(t *testing.T) {
	t.Parallel()
	e := engine.Default(t)
	for name, withdraw := range map[string]bool{"with withdraw": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			d := launch(t, settings{"docker.socket": e.Socket(), "publish.withdraw": withdraw})
			eventually(t, "a record", func() bool { return d.record() != "" })
			d.stop()
			d.configure(settings{"docker.socket": d.dir + "/nobody.sock", "publish.withdraw": false})
			d.start()
			if got := d.record(); (got == "") != withdraw {
				t.Errorf("after the end the store holds %q", got)
			}
		})
	}
}
