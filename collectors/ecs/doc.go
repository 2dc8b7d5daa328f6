// Package ecs asks this host's ECS agent about the tasks: which there are, what
// is to become of them, and how large each was made as a whole.
//
//	o := &ecs.Observer{Inventory: &hub, Log: log}
//	go o.Run(ctx)
//	tasks, changed := o.Watch()
//
// # Three sources
//
//   - introspection, http://127.0.0.1:51678/v1: the tasks and their statuses,
//     at every change of the inventory and every ten seconds; no sizes. A host
//     whose agent has not answered is asked once a minute;
//   - task metadata version 4, http://127.0.0.1:51679/v4: the size of one task,
//     its service and, in awsvpc mode, its address. It is asked once in the life
//     of a task, when all its containers are there, a few tasks at a time: its
//     rate is limited for all containers together;
//   - the task's cgroup, which the ECS agent limits if the definition has a size
//     for the whole task. It answers at once, and stands in until the metadata
//     do.
//
// None of them calls AWS. Each call has a deadline, follows no redirect and
// reads a bounded answer. A container's environment says under which ID its
// metadata stand, never at which server, and an answer about another task than
// the container's own is none.
//
// # When the agent is away
//
// Its last list stays for five minutes, marked as out of date. An update of the
// agent takes seconds, and tasks do not end by it. After that no task is listed,
// and what Docker shows is all there is. Sizes stay: they do not change.
package ecs
