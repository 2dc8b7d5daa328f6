// Package kernel makes the janitor's system calls that change what is on disk,
// and those by which it steps from folder to folder. All of them are made here
// and nowhere else in the janitor, so that a test can have each one fail, end
// the process before or after it, or let somebody else act in between: see
// [Intercept]. Without a hook, as in the daemon, a call costs one load of a
// pointer more than the bare one.
package kernel
