package docker_test

import (
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
)

// The Engine stamps an event before it sends it, and may send a later one first:
// the end of a stream in between must not lose the earlier one.
func TestAnEventThatComesLateIsHeardAfterAGap(t *testing.T) {
	var h docker.Heard
	if !h.Since().IsZero() {
		t.Error("events are wanted from some moment on, and none was heard")
	}
	at := time.Unix(1_700_000_000, 0)
	late := docker.Event{Kind: docker.Removed, ID: "a", At: at}
	early := docker.Event{Kind: docker.Removed, ID: "b", At: at.Add(time.Millisecond)}
	if !h.Add(early) {
		t.Error("the first event is none")
	}
	if since := h.Since(); !since.Before(late.At) {
		t.Errorf("events are wanted from %v on: the one at %v is lost", since, late.At)
	}
	if h.Add(early) || !h.Add(late) || h.Add(late) {
		t.Error("each is to be news once")
	}
	if since := h.Since(); !since.Equal(early.At.Add(-10 * time.Second)) {
		t.Errorf("after the late one, events are wanted from %v on", since)
	}
}

func TestWhatWasHeardIsForgottenInTime(t *testing.T) {
	var h docker.Heard
	event := func(n int) docker.Event {
		return docker.Event{Kind: docker.Died, ID: inventory.ID(rune(n)), At: time.Unix(int64(n), 0)}
	}
	for n := range 2000 {
		h.Add(event(n))
	}
	for n := range 256 { // as many as the Engine repeats
		if h.Add(event(2000 - 256 + n)) {
			t.Fatalf("event %d is news again", 2000-256+n)
		}
	}
	if !h.Add(event(0)) {
		t.Error("the first of 2000 is still remembered")
	}
}
