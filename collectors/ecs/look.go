package ecs

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// How the metadata endpoint is spared: it allows 40 calls a second for all
// containers of the host together.
const (
	callsAtOnce = 5
	pause       = 250 * time.Millisecond // before the next few
	firstPause  = 5 * time.Second
	longPause   = 5 * time.Minute
)

// A looker is what one Run knows.
type looker struct {
	*Observer
	agent    server
	metadata server
	who      instance
	listed   []inventory.Task
	taken    time.Time
	fault    string
	sizes    map[string]*sizing
	waiting  bool      // tasks wait for their metadata
	settled  bool      // none did, once
	due      time.Time // when to look again, if nothing changes
}

// A sizing is what is known of one task's size.
type sizing struct {
	size    *inventory.TaskSize
	service string
	told    bool // the metadata have answered
	pause   time.Duration
	again   time.Time // when they may be asked again
}

func newLooker(o *Observer) *looker {
	return &looker{
		Observer: o, agent: newServer(o.Agent, AgentURL), metadata: newServer(o.Metadata, MetadataURL), sizes: map[string]*sizing{},
	}
}

// cares reports whether a change of the containers is a reason to ask. On a host
// without ECS it is none.
func (l *looker) cares(seen inventory.Snapshot) bool {
	return !l.taken.IsZero() || slices.ContainsFunc(seen.Containers, func(c inventory.Container) bool { return c.Task != "" })
}

// next is how long to wait while nothing changes.
func (l *looker) next() time.Duration {
	switch {
	case l.waiting:
		return spread(pause)
	case l.fault == "":
		return spread(often)
	case !l.taken.IsZero():
		return spread(often) // it was there, and will come back
	}
	return spread(seldom)
}

// look asks for all that is not known yet, and returns what is known now.
func (l *looker) look(ctx context.Context, seen inventory.Snapshot) inventory.Tasks {
	l.list(ctx)
	tasks := l.join(seen)
	l.measure(ctx, tasks)
	l.settled = l.settled || seen.Synced && !l.waiting
	now := inventory.Tasks{Taken: l.taken, Fault: l.fault, Cluster: l.who.Cluster, Instance: l.who.ContainerInstanceArn, Settled: l.settled}
	for _, arn := range slices.Sorted(maps.Keys(tasks)) {
		t := tasks[arn].Task
		if s := l.sizes[arn]; s != nil {
			t.Size, t.Service = s.size, s.service
		}
		now.All = append(now.All, t)
	}
	return now
}

// list asks for the tasks. Word of a change of its health goes to the log, but
// not that a host has no ECS agent.
func (l *looker) list(ctx context.Context) {
	asked := time.Now()
	listed, err := l.agent.listTasks(ctx)
	if err == nil && l.who == (instance{}) {
		l.who, err = l.agent.whoami(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return
	case err == nil:
		if l.fault != "" || l.taken.IsZero() {
			l.Log.Info("ECS agent answers", "tasks", len(listed))
		}
		l.listed, l.taken, l.fault = listed, asked, ""
		return
	case l.fault == "" && !l.taken.IsZero():
		l.Log.Warn("ask ECS agent", "err", err)
	}
	l.fault = err.Error()
	if asked.Sub(l.taken) > keepFor {
		l.listed, l.taken, l.who = nil, time.Time{}, instance{}
	}
}

// A subject is a task with its containers.
type subject struct {
	inventory.Task
	containers []inventory.Container
}

// join finds all tasks that there are, listed or not.
func (l *looker) join(seen inventory.Snapshot) map[string]*subject {
	all := map[string]*subject{}
	for _, t := range l.listed {
		all[t.ARN] = &subject{Task: t}
	}
	for _, c := range seen.Containers {
		if c.Task == "" {
			continue
		}
		if all[c.Task] == nil {
			all[c.Task] = &subject{Task: inventory.Task{ARN: c.Task, Family: c.Family}}
		}
		all[c.Task].containers = append(all[c.Task].containers, c)
	}
	maps.DeleteFunc(all, func(_ string, s *subject) bool {
		return !s.Listed() && !slices.ContainsFunc(s.containers, func(c inventory.Container) bool { return c.State.Up() || c.State == inventory.Created })
	})
	return all
}

// measure finds sizes: of each task by its cgroup, and of a few by their
// metadata.
func (l *looker) measure(ctx context.Context, tasks map[string]*subject) {
	maps.DeleteFunc(l.sizes, func(arn string, _ *sizing) bool { return tasks[arn] == nil })
	calls, now := 0, time.Now()
	l.waiting = false
	for _, arn := range slices.Sorted(maps.Keys(tasks)) {
		t, s := tasks[arn], l.sizes[arn]
		if s == nil {
			s = &sizing{}
			l.sizes[arn] = s
		}
		l.weigh(t, s)
		id := t.metadataID()
		switch {
		case s.told || id == "" || now.Before(s.again):
		case calls == callsAtOnce:
			l.waiting = true
		default:
			calls++
			if !l.ask(ctx, t, s, id) {
				calls = callsAtOnce // the endpoint is away, not the task
			}
		}
	}
}

// weigh reads a task's cgroup, once.
func (l *looker) weigh(t *subject, s *sizing) {
	if s.size != nil {
		return
	}
	for _, c := range t.containers {
		size, err := cgroupSize(l.Root, c.Limits.CgroupParent)
		if err == nil {
			s.size = size
			return
		}
	}
}

// ask asks for one task's metadata. It returns false if the endpoint does not
// answer at all.
func (l *looker) ask(ctx context.Context, t *subject, s *sizing, id string) bool {
	d, err := l.metadata.describe(ctx, t.ARN, id)
	if err == nil {
		s.size, s.service, s.told = d.size(), d.ServiceName, true
		return true
	}
	s.pause = min(max(2*s.pause, firstPause), longPause)
	s.again = time.Now().Add(s.pause)
	if s.pause == firstPause && ctx.Err() == nil {
		l.Log.Warn("ask for task metadata", "task", t.ARN, "err", err)
	}
	var away *url.Error
	return !errors.As(err, &away)
}

// metadataID is the ID by which to ask for the task, once all of it is there:
// the answer then holds all containers, and is the only one that is needed.
func (t *subject) metadataID() string {
	if t.Listed() && t.Known != inventory.TaskRunning {
		return ""
	}
	for _, c := range t.containers {
		if c.MetadataID != "" && c.State.Up() {
			return c.MetadataID
		}
	}
	return ""
}
