// Package process holds on to the first process of each running container, and
// says at once when it ends: before Docker does, and before the container's
// address is anybody else's.
//
// A process ID alone proves nothing, for it is used again. A [Watcher] opens a
// pidfd, then reads which container the process's cgroup names, then looks
// whether the pidfd's process still lives: only then the ID is this
// container's, and stays so until the pidfd says that it has ended. None of
// that needs rights that an ordinary user lacks.
//
// # Invariants
//
//   - I2 (nothing irreversible reads it): what it says is for naming who sent a
//     metric.
package process
