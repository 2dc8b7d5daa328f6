// Package reservation computes how much of this host its ECS tasks have
// reserved, in the units that the ECS scheduler counts in: CPU units, 1024 to a
// core, MiB of memory, whole GPUs, and host ports.
//
//	var book reservation.Book
//	r := book.Compute(reservation.Facts{
//		Containers: snapshot.Containers, Tasks: tasks, Capacity: capacity,
//	})
//
// [Compute] is a pure function of what Docker and the ECS agent tell; a [Book]
// remembers sizes beside it, as the size of a task never changes. Each task's
// figures come with a sentence that says how they were found.
//
// # Which tasks count
//
// Those that the ECS agent lists and that have not stopped, whatever their
// containers do meanwhile. Reserved is how the agent counts: a task holds its
// share until it has stopped. Scheduled is how the control plane counts: it is
// free as soon as it is to stop. Running tasks that the agent does not list are
// its own helpers, which ECS does not count: they are unmanaged, like containers
// outside ECS. Without an answer of the agent a task counts while any of its
// containers is up or about to be started.
//
// # What a task counts
//
// The size of the whole task, where its definition has one: as the task's
// metadata endpoint says, else as its cgroup is limited. For a resource without
// one, the sum over its containers but for the pause containers: CPU shares;
// soft limits, or hard limits where there is none. A task of which containers
// are still to be created counts as another one of the same revision did.
//
// # When it is not exact
//
// Exact is said only if the figures are the ECS agent's own. Every doubt is in
// the notes:
//
//   - the agent does not answer, or the size of a whole task is not known;
//   - a task's containers do not all exist yet;
//   - 2 CPU shares stand for 0, 1 or 2 units: ECS raises all to 2. They are
//     counted as 2, and ErrCPU says by how much the sum may be too high;
//   - 262144 CPU shares and 4 MiB are the bounds of what Docker is told.
//
// Uncertainty is counted upwards where there is a choice, so that nobody takes a
// full host for a free one. What the control plane has placed and not delivered
// yet nobody on this host can know.
package reservation
