package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
)

// A job stands in for a test, for the server's sake. Only the methods below may
// be called; the embedded interface is nil.
type job struct {
	testing.TB
	undo []func()
	errs []error
}

// run runs f as a test would run, cleans up after it, and returns what went
// wrong.
func run(f func(*job) error) error {
	j := &job{}
	done := make(chan struct{})
	go func() { // Fatal ends the goroutine
		defer close(done)
		if err := f(j); err != nil {
			j.errs = append(j.errs, err)
		}
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
func (j *job) Cleanup(f func()) { j.undo = append(j.undo, f) }

// Fatal notes what went wrong and ends the calling goroutine.
func (j *job) Fatal(args ...any) {
	j.errs = append(j.errs, errors.New(fmt.Sprint(args...)))
	runtime.Goexit()
}

// Fatalf notes what went wrong and ends the calling goroutine.
func (j *job) Fatalf(format string, args ...any) { j.Fatal(fmt.Sprintf(format, args...)) }
