package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/config"
	"github.com/berth-dev/berth/bridge/dogstatsd"
	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/process"
	"github.com/berth-dev/berth/collectors/reservation"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images/usage"
	"github.com/berth-dev/berth/janitor/ledger"
)

// Options are what a run of the daemon is told from outside.
type Options struct {
	Config  config.Sources   // where the configuration comes from, at the start and at each reload
	Hangup  <-chan os.Signal // each one asks for a reload
	Stderr  io.Writer
	Version api.Version
}

// An Agent is the daemon: what lives as long as the process, and the running
// generation.
type Agent struct {
	options   Options
	started   time.Time
	log       *slog.Logger
	level     *slog.LevelVar
	notify    *notifier
	listener  *api.Listener
	self      *api.Client // asks this daemon over its own socket
	feed      api.Feed
	hub       inventory.Inventory
	ledger    *ledger.Ledger
	images    *usage.Ledger
	audit     *audit.Log
	store     store.Store
	keeper    *keeper
	relay     *dogstatsd.Relay // nil: relay.listen is off
	processes *process.Watcher // with the relay
	capturing atomic.Bool      // one capture of it at a time
	creations atomic.Uint64    // of containers, that Docker has told of
	heard     docker.Heard     // which events of Docker have been heard
	limited   []string         // what this process lacks the rights to do
	book      reservation.Book

	handover  chan *handover // a configuration on its way to the generations
	edited    chan struct{}  // the configuration file has changed
	reloading sync.Mutex     // one reload at a time

	mu       sync.RWMutex // guards the fields below
	now      *generation
	rejected []api.Fault
	restart  []string
}

// garbage is how much of it may gather, in per cent of what lives: less than Go's
// own measure, as the host's memory is scarcer than the time of an idle process.
const garbage = 75

// Run is the daemon. It returns nil when ctx is cancelled, an
// [*config.Invalid] if the configuration cannot be used, and an
// [*api.Running] if another daemon holds the socket.
func Run(ctx context.Context, o Options) error {
	loaded, err := config.Load(o.Config)
	if err != nil {
		return err
	}
	if err := HandOver(loaded.Config.Publish.Store); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	a, err := open(o, loaded)
	if err != nil {
		return err
	}
	err = a.run(ctx)
	return errors.Join(err, a.close())
}

// open does all that can fail before anything lives.
func open(o Options, loaded config.Loaded) (*Agent, error) {
	c := loaded.Config
	a := &Agent{
		options: o, started: time.Now().UTC(), level: new(slog.LevelVar),
		keeper: newKeeper(), self: api.NewClient(c.API.Socket, time.Minute), handover: make(chan *handover), edited: make(chan struct{}, 1),
	}
	a.level.Set(parseLevel(c.Log.Level))
	a.log = newLogger(o.Stderr, c.Log.Format, a.level)
	a.notify = &notifier{live: a.self.Live, log: a.component("systemd")}
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return nil, noRoom(fmt.Errorf("make state folder: %w: set state_dir to a folder that uid %d may write", err, os.Geteuid()))
	}
	if err := a.openState(c); err != nil {
		return nil, errors.Join(noRoom(err), a.close())
	}
	a.limited = append(a.limited, a.listener.Limited...)
	a.now = a.build(loaded, 1)
	return a, nil
}

// noRoom adds the cure to the error of a state folder that a full disk keeps
// from being made. One that was made there before works on it.
func noRoom(err error) error {
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return fmt.Errorf("%w: the first start takes 3 MiB and 6 inodes: make room by hand, or set state_dir to a folder on another file system", err)
}

func (a *Agent) openState(c config.Config) (err error) {
	kept, handed := takeHanded(dogstatsd.Handed)
	if a.listener, err = api.Listen(api.ListenOptions{Path: c.API.Socket, Group: c.API.Group, Handed: handed}); err != nil {
		return err
	}
	if a.ledger, err = ledger.Open(filepath.Join(c.StateDir, "ledger")); err != nil {
		return err
	}
	if a.images, err = usage.Open(filepath.Join(c.StateDir, "images")); err != nil {
		return err
	}
	if a.audit, err = audit.Open(filepath.Join(c.StateDir, "audit")); err != nil {
		return err
	}
	if err = a.openStore(c); err != nil {
		return err
	}
	return a.openRelay(c, kept)
}

func (a *Agent) close() error {
	var errs []error
	if a.now != nil {
		a.now.close()
	}
	errs = append(errs, a.closeRelay())
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.audit != nil {
		errs = append(errs, a.audit.Close())
	}
	if a.images != nil {
		errs = append(errs, a.images.Close())
	}
	if a.ledger != nil {
		errs = append(errs, a.ledger.Close())
	}
	if a.listener != nil {
		errs = append(errs, a.listener.Close())
	}
	return errors.Join(errs...)
}

func (a *Agent) component(name string) *slog.Logger { return a.log.With("component", name) }

func (a *Agent) run(ctx context.Context) error {
	server := &api.Server{
		Backend: a, OperatorGroup: a.now.loaded.Config.API.OperatorGroup,
		Version: a.options.Version, Log: a.component("api"),
	}
	a.log.Info("started", "version", a.options.Version.Version, "host", a.now.host.ID, "config", a.now.loaded.File)
	for _, limit := range a.limited {
		a.log.Warn("limited", "err", limit)
	}
	defer a.notify.stopping()
	parts := []component{
		{"api", func(ctx context.Context) error { return server.Serve(ctx, a.listener) }},
		{"generations", a.generations},
		{"reload", a.hints},
		{"watchdog", a.notify.Run},
		{"ready", a.ready},
	}
	if a.relay != nil {
		parts = append(parts, component{"relay", a.relay.Run}, component{"processes", a.processes.Run})
	}
	return together(ctx, parts...)
}

// ready tells systemd that the socket answers. It waits for nothing outside
// this host, and not for Docker.
func (a *Agent) ready(ctx context.Context) error {
	if err := a.self.Live(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("own socket: %w", err)
	}
	a.notify.ready("answers on " + a.generation().loaded.Config.API.Socket)
	<-ctx.Done()
	return nil
}

// Live returns nil once it has held every lock that answers need. The watchdog
// asks for it over the socket, so that listener and handler must work as well.
func (a *Agent) Live(context.Context) error {
	g := a.generation()
	a.hub.Snapshot()
	g.watcher.Status()
	g.scheduler.States()
	g.sweeper.Stats()
	g.images.Stats()
	if a.relay != nil {
		a.relay.Stats()
	}
	return nil
}

// Ready returns nil once Docker has been seen and the configuration in force
// is the newest.
func (a *Agent) Ready(context.Context) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	switch s := a.hub.Snapshot(); {
	case len(a.rejected) > 0:
		return fmt.Errorf("the newest configuration is refused: %s", a.rejected[0].Message)
	case !s.Synced:
		return fmt.Errorf("docker has not been seen: %s", cmp.Or(s.Blind, "it is being asked"))
	}
	return nil
}

// generation returns the running one.
func (a *Agent) generation() *generation {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.now
}

// Events returns what Berth saw and did.
func (a *Agent) Events() *api.Feed { return &a.feed }
