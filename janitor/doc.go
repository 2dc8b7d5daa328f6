// Package janitor runs the host's clean-up duties at their times: package logs
// deletes the log folders of dead containers.
//
// A [Scheduler] is one loop over the next due job. Schedules are cron
// expressions in UTC; each host runs a job a little after its scheduled moment,
// always by the same splay, so that a fleet does not act in the same minute. A
// job never overlaps itself and never waits for another (I5).
package janitor
