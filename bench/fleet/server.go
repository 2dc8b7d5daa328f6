package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/embedded"
)

// A server is what keeps the fleet's records, and can die.
type server interface {
	// via is the store that a host publishes to.
	via(host int) store.Store
	// reader is the store that the watcher reads.
	reader() store.Store
	// outlasts reports whether a watch goes on over the server's death.
	outlasts() bool
	die() error
	// revive starts it again, with the data it had or without.
	revive(empty bool) error
	// calls is how many have reached it so far, in all its lives.
	calls(ctx context.Context) int64
	// cpu is what it has used in this life.
	cpu() time.Duration
	// whose says what cpu counts.
	whose() string
	close() error
}

// A local server is the embedded store behind a gate.
type local struct {
	folder string
	files  int
	store  *embedded.Store
	gate   *gate
}

func newLocal(folder string) (*local, error) {
	l := &local{folder: folder}
	if err := l.open(); err != nil {
		return nil, err
	}
	l.gate = newGate(l.store)
	return l, nil
}

func (l *local) open() (err error) {
	file := filepath.Join(l.folder, fmt.Sprint("store", l.files))
	l.store, _, err = embedded.Open(file, embedded.Options{})
	return err
}

func (l *local) via(int) store.Store         { return l.gate }
func (l *local) reader() store.Store         { return l.store }
func (l *local) outlasts() bool              { return false }
func (l *local) calls(context.Context) int64 { return l.gate.calls.Load() }
func (l *local) cpu() time.Duration          { return cpuTime() }
func (l *local) whose() string               { return "publishers and store together" }
func (l *local) close() error                { return l.store.Close() }

func (l *local) die() error {
	l.gate.die()
	return l.store.Close()
}

func (l *local) revive(empty bool) error {
	if empty {
		l.files++
	}
	if err := l.open(); err != nil {
		return err
	}
	l.gate.revive(l.store)
	return nil
}
