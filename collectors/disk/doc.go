// Package disk says how full file systems are, when they will be full, and how
// bad that is.
//
//	usage, err := disk.Stat("/var/log/apps")
//
//	m := &disk.Monitor{
//		Paths: roots, Log: log, Changed: relieve,
//		Limits: disk.Limits{Low: 70, High: 85, Emergency: 98},
//	}
//	err = m.Run(ctx)
//
// [Stat] asks the kernel once and holds nothing: bytes and inodes, and the
// share of each in use, counted as df counts it. A [Monitor] is the one loop
// around everything else, which is pure: it samples each file system every 30 s
// and shows the samples to a [Forecaster] and a [Ladder]. A [Pacer] slows work
// on a disk down while others wait for the disk.
//
// # How it forecasts
//
// A [Forecaster] has a history for bytes and one for inodes, of what an
// unprivileged process has left. Each looks back through five windows, from 5
// min to 24 h. The growth in a window is the winsorized mean of its ten parts,
// so that an image that is pulled is no trend. What has gone on for so long is
// trusted to go on for three times as long and no more: a short window sees a
// fast fill early, a long one a slow fill at all, and the soonest that any of
// them may tell is the forecast. So after a start the first 5 min are silent,
// and a fill that takes an hour needs 20.
//
// When use falls by more than noise it was a drop: a sweep, a rotation. Drops
// are taken out of the growth, so that one delays a fill and does not hide it.
// After three of them more are expected, as late as any has come and of usual
// size; what grows until the next one and no further is no fill. When one is
// overdue, none is expected any more.
//
// # How good it is
//
// The tests replay made-up lives of file systems: fills of 1 h to 48 h beside
// sweeps, rotations, batches, pulls, bursts, the rhythm of a day, noise and
// missing samples; and the same without a fill. The goals are a warning 30 min
// ahead in 95 % of the fills, and less than one false alarm per host-week: a
// forecast of a fill that does not come in three times the time it named. The
// last long run, with seed 3, had 98.8 % and 0.7; without any marks, from
// forecasts alone, 97.5 % and 0.95. That says nothing of fills faster than an
// hour. Most false alarms are of few hosts, on which use swings each hour by
// more than is left at its peak: there a late sweep and a fill look the same.
//
// # Levels
//
// A [Ladder] has four: normal, forecast, high, emergency. Each ends at another
// mark than it began, so that none flaps. While one is high or worse the
// Monitor looks every 5 s, for whoever frees space until the low mark.
//
// # Hanging mounts
//
// On a network file system whose server is away the kernel holds whoever asks
// for as long as it likes. A Monitor therefore asks for each path in a
// goroutine of its own, never twice at a time; a path that owes an answer at
// the next look is a [Fault], and its file system keeps its level.
//
// # Invariants
//
//   - I3 (constructors start nothing): all goroutines start in [Monitor.Run].
//   - I4 (Run returns after its goroutines): but for those that the kernel
//     holds, which touch nothing and end when it lets them go.
//   - I5 (no duty waits for another): a path that hangs delays no other.
package disk
