package inventory

import (
	"net/netip"
	"time"
)

// Statuses of an ECS task that decide how it counts. There are more on the way
// up and down: PENDING, PROVISIONING, DEPROVISIONING and others.
const (
	TaskRunning = "RUNNING"
	TaskStopped = "STOPPED"
)

// Sources of a [TaskSize].
const (
	FromMetadata = "tmds"   // the task's metadata endpoint
	FromCgroup   = "cgroup" // the task's own
)

// A Task is what this host tells of one ECS task beside its containers.
type Task struct {
	ARN     string
	Family  string    // task definition family and revision, "orders:211"
	Desired string    // what the control plane wants it to be; empty unless the ECS agent lists it
	Known   string    // what the ECS agent has seen it to be; empty unless it lists it
	Service string    // ECS service; empty: none, or not known
	Size    *TaskSize // nil: nobody has told yet
}

// Listed reports whether the ECS agent lists the task.
func (t Task) Listed() bool { return t.Known != "" }

// A TaskSize is the size of a whole task. It never changes during its life.
type TaskSize struct {
	CPU        int64                // units; 0: the task definition sets none for the whole task
	Memory     int64                // MiB; 0: likewise
	Source     string               // FromMetadata or FromCgroup
	Containers map[ID]ContainerSize // as the ECS agent has them, where it told
	Addresses  []netip.Addr         // of the task's own network interface; none but in awsvpc mode
}

// A ContainerSize is what the task definition gives one container, before
// Docker raised or cut it.
type ContainerSize struct {
	CPU    int64 // units; 2 may stand for 0, 1 or 2
	Memory int64 // MiB, hard limit; 0: none
}

// Tasks is what this host's ECS agent says. The zero value is that of a host
// that has none, or whose agent has not answered yet. It is shared by its
// readers and never changed.
type Tasks struct {
	Taken    time.Time // when the ECS agent was asked for the list; zero: it has not answered, and no task is Listed
	Fault    string    // why it is out of date, or not there; empty if it is current
	Cluster  string    // as the ECS agent names it
	Instance string    // the end of the container instance's ARN
	All      []Task    // sorted by ARN
	Settled  bool      // every task of a complete listing has been asked about once, with or without an answer
}

// Task returns the task with this ARN.
func (t Tasks) Task(arn string) (Task, bool) {
	for _, one := range t.All {
		if one.ARN == arn {
			return one, true
		}
	}
	return Task{}, false
}

// Addresses are those of the tasks that have a network interface of their own,
// by ARN: the first of each, as the ECS agent tells them.
func (t Tasks) Addresses() map[string]netip.Addr {
	all := map[string]netip.Addr{}
	for _, one := range t.All {
		if one.Size != nil && len(one.Size.Addresses) > 0 {
			all[one.ARN] = one.Size.Addresses[0]
		}
	}
	return all
}
