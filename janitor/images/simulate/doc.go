// Package simulate replays what one host pulled, started and stopped, under
// several ways to keep its image store small, and counts the seconds that it
// spent on pulling.
//
// A trace is a list of [Event]: of a real host, or made up by [Generate]. The
// planner under trial is the one that runs in production: the package images is
// asked for a plan, and what that plan removes is removed. Beside it are what
// others do: the least recently used image first, everything built longer ago
// than some time, and nothing at all. Who keeps more on disk pulls less, so
// [Compare] holds policies against each other at equal disk use.
//
// What is left out: that pulls of a host share its network and disk, and that a
// disk which is full stops everything. A policy that cannot free enough goes
// over its capacity, and that is counted.
package simulate
