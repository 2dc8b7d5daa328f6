package inventory

import "strings"

// pausePrefix begins the name of every container that the ECS agent adds to a
// task to hold its network, whatever the mode.
const pausePrefix = "~internal~ecs~pause"

// Pause reports whether the container is one that the ECS agent added to hold
// a task's network: part of no task definition, and of no size.
func (c Container) Pause() bool { return c.ECS && strings.HasPrefix(c.Name, pausePrefix) }

// Holds returns the name of the container for which a pause container holds the
// network in bridge mode, as with ECS Service Connect; empty if it holds that
// of a whole task.
func (c Container) Holds() string {
	name, _ := strings.CutPrefix(c.Name, pausePrefix+"-")
	if !c.Pause() || name == c.Name {
		return ""
	}
	return name
}
