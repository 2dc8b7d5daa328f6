package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// A job stands in for a test: test/engine cleans up through a testing.TB. Only
// the methods below may be called; the embedded interface is nil.
type job struct {
	testing.TB

	mu   sync.Mutex // guards the fields below
	undo []func()
	errs []error
}

// run runs f as a test would run, cleans up after it, and returns what went
// wrong.
func run(f func(*job)) error {
	j := &job{}
	done := make(chan struct{})
	go func() { // Fatal ends the goroutine
		defer close(done)
		f(j)
	}()
	<-done
	for _, undo := range slices.Backward(j.undo) {
		undo()
	}
	return errors.Join(j.errs...)
}

// Helper does nothing.
func (j *job) Helper() {}

// Cleanup has f called at the end, last ones first.
func (j *job) Cleanup(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.undo = append(j.undo, f)
}

// Error notes that something went wrong.
func (j *job) Error(args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.errs = append(j.errs, errors.New(fmt.Sprint(args...)))
}

// Errorf notes that something went wrong.
func (j *job) Errorf(format string, args ...any) { j.Error(fmt.Sprintf(format, args...)) }

// Fatal notes what went wrong and ends the calling goroutine.
func (j *job) Fatal(args ...any) {
	j.Error(args...)
	runtime.Goexit()
}

// Fatalf notes what went wrong and ends the calling goroutine.
func (j *job) Fatalf(format string, args ...any) { j.Fatal(fmt.Sprintf(format, args...)) }

// must ends the measurement with an error.
func (j *job) must(err error) {
	if err != nil {
		j.Fatal(err)
	}
}

// TempDir makes a folder that goes at the end.
func (j *job) TempDir() string {
	dir, err := os.MkdirTemp("", "berth-bench-")
	j.must(err)
	j.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			j.Error(err)
		}
	})
	return dir
}
