// Package reservation computes how much of this host its ECS tasks have
// reserved, in the units that the ECS scheduler counts in: CPU units, 1024 to a
// core, and MiB of memory.
//
//	r := reservation.Compute(snapshot.Containers, reservation.Capacity{
//		CPUs: snapshot.Engine.CPUs, Memory: snapshot.Engine.Memory,
//		ReservedMemory: host.ReservedMemory,
//	})
//
// [Compute] is a pure function of what Docker tells. Each task's figures come
// with a sentence that says how they were found.
//
// # How a task is counted
//
// As the ECS agent does, a task counts whole while any of its containers is
// up or about to be started: its exited sidecars too. Its pause containers have
// no size, but while one is up the task lives. CPU is the sum of the CPU shares, memory the sum of the soft limits,
// or of the hard limits where there is none.
//
// # What Docker alone does not tell
//
// The result is never called exact while Docker is the only source:
//
//   - the size of a whole task, if its definition has one, takes precedence over
//     the sum and is not visible;
//   - a task that is still pulling its images has no container yet;
//   - a task whose containers have all ended counts as stopped, although the
//     next one may be about to be created;
//   - 2 CPU shares stand for 0, 1 or 2 units: ECS raises all to 2. They are
//     counted as 2, and ErrCPU says by how much the sum may be too high.
//
// Every doubt is in the notes, and uncertainty is counted upwards where there
// is a choice, so that nobody takes a full host for a free one.
package reservation
