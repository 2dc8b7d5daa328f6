package inventory

import "strings"

// pausePrefix begins the name of every container that the ECS agent adds to a
// task to hold its network, whatever the mode.
const pausePrefix = "~internal~ecs~pause"

// Pause reports whether the container is one that the ECS agent added to hold
// a task's network: part of no task definition, and of no size.
func (c Container) Pause() bool { return c.ECS && strings.HasPrefix(c.Name, pausePrefix) }
