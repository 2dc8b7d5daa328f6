package api

import (
	"context"
	"iter"
	"time"
)

// A Backend answers what the socket asks: the daemon. Each method may be
// called from many connections at once. An error that is a [*Problem] reaches
// the caller as it is; any other becomes a 500.
type Backend interface {
	Status(context.Context) Status
	Live(context.Context) error  // nil while the daemon's parts answer
	Ready(context.Context) error // nil once Docker has been seen and the configuration in force is the newest
	Containers(ctx context.Context, match string) Containers
	Portmaps(context.Context) []Portmap
	Reservation(context.Context) Reservation
	Records(context.Context) ([]StoreRecord, error)
	WatchRecords(ctx context.Context, since uint64, each func(RecordEvent) error) error // until ctx ends, or each returns an error
	Diagnose(context.Context) []Check

	LogFolders(ctx context.Context, measured bool) ([]Folder, error)
	LogPlan(ctx context.Context, unlimited bool) (LogPlan, error)
	LogSweep(ctx context.Context, by Peer, r SweepRequest) (SweepReport, error)
	LogUndo(ctx context.Context, by Peer, r UndoRequest) (UndoReport, error)
	LogHistory(ctx context.Context, limit int) ([]Record, error)
	Why(ctx context.Context, object string) (Why, error)

	Images(context.Context) ([]Object, error)
	ImagePlan(ctx context.Context, untilLow bool) (ImagePlan, error)
	ImageSweep(ctx context.Context, by Peer, r ImageSweepRequest) (ImageSweepReport, error)
	ImageHistory(ctx context.Context, limit int) ([]Record, error)

	Relay(context.Context) Relay
	RelayTap(ctx context.Context, f RelayFilter, beat time.Duration) (iter.Seq[RelayLine], error) // until ctx ends; with a sign of life after each silence as long as beat
	RelayCapture(ctx context.Context, by Peer, r CaptureRequest) (Capture, error)                 // returns once it has ended
	Docker0(context.Context) Docker0

	Jobs(context.Context) []Job
	JobRuns(ctx context.Context, name string) ([]Run, error)
	RunJob(ctx context.Context, by Peer, name string, dryRun bool) (Run, error) // returns once the run has ended

	Config(context.Context) ConfigShow
	CheckConfig(ctx context.Context, text []byte) []Fault // what is wrong with a configuration file's text; File is empty
	Reload(ctx context.Context, by Peer) (Reload, error)

	Events() *Feed
}

// A Peer is who is at the other end of a connection.
type Peer struct {
	PID       int
	UID       int    // -1 if unknown
	Groups    []int  // its primary group, then the others
	Container string // ID of the container the peer lives in; empty on the host
	Hidden    string // why it is unknown whether the peer lives in a container; empty if known
}
