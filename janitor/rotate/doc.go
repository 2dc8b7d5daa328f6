// Package rotate compresses files in the log folders of living containers:
// those that nobody has open and nobody has changed for a while.
//
//	r := rotate.Rotator{After: 24 * time.Hour}
//	report, err := r.Rotate(ctx, dir)
//
// It is off unless it is asked for: a host may have logrotate, and an
// application its own idea of its files. Where anything is in doubt a file is
// left as it is.
//
// # How a file is compressed
//
// The kernel says that nobody has a file open by granting a lease on it, and
// tells us while we hold the lease if somebody wants to open it. Then everything
// is undone, and whoever wants the file has it within milliseconds. File systems
// without leases have no file compressed.
//
//	lease → copy, compressed, into a name of our own → on disk → owner, mode and
//	time of the original → the original is unchanged and nobody asked for it →
//	the copy becomes NAME.gz → the original goes
//
// A crash leaves both, or the original and an incomplete copy, which the next
// run removes. What is in the folder was written by tenants: it is opened by
// package beneath alone, nothing is followed, and what takes a file's name
// meanwhile stays.
package rotate
