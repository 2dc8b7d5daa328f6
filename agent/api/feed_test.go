package api_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/berth-dev/berth/agent/api"
)

// fill publishes n events whose messages count from 1.
func fill(f *api.Feed, n int) {
	for i := range n {
		f.Publish(api.Event{Type: "test", Message: strconv.Itoa(i + 1)})
	}
}

func TestFeedEndsAtThePresentUnlessFollowed(t *testing.T) {
	var f api.Feed
	fill(&f, 3)
	var got []uint64
	for e := range f.Follow(t.Context(), 1, false) {
		if e.Time.IsZero() {
			t.Errorf("event %d has no time", e.Seq)
		}
		got = append(got, e.Seq)
	}
	if len(got) != 2 || got[0] != 2 || got[1] != 3 {
		t.Errorf("got events %v, want 2 and 3", got)
	}
}

func TestFeedKeepsTheTimeAnEventCameWith(t *testing.T) {
	var f api.Feed
	f.Publish(api.Event{Time: when})
	for e := range f.Follow(t.Context(), 0, false) {
		if !e.Time.Equal(when) {
			t.Errorf("got %v, want %v", e.Time, when)
		}
	}
}

func TestFeedTellsALateReaderWhatItMissed(t *testing.T) {
	var f api.Feed
	fill(&f, 1500)
	var first api.Event
	seen := 0
	for e := range f.Follow(t.Context(), 0, false) {
		if seen == 0 {
			first = e
		}
		seen++
	}
	if first.Type != "dropped" || first.Dropped != 1500-1024 || seen != 1025 {
		t.Errorf("got first %+v and %d events in all", first, seen)
	}
}

func TestFeedNeverWaitsForASlowReader(t *testing.T) {
	var f api.Feed
	fill(&f, 1)
	var seen, lost uint64
	for e := range f.Follow(t.Context(), 0, false) {
		if seen == 0 {
			fill(&f, 4000) // while this reader holds its first event
		}
		if e.Type == "dropped" {
			lost += e.Dropped
		} else {
			seen++
		}
	}
	if seen+lost != 4001 || lost == 0 {
		t.Errorf("saw %d and was told of %d lost, want 4001 together", seen, lost)
	}
}

func TestFeedStartsAnewForAReaderOfAnEarlierDaemon(t *testing.T) {
	var f api.Feed
	fill(&f, 2)
	seen := 0
	for range f.Follow(t.Context(), 900, false) {
		seen++
	}
	if seen != 2 {
		t.Errorf("got %d events, want 2", seen)
	}
}

func TestFeedFollowsUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f api.Feed
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan uint64, 10)
		go func() {
			defer close(got)
			for e := range f.Follow(ctx, 0, true) {
				got <- e.Seq
			}
		}()
		synctest.Wait()
		fill(&f, 1)
		synctest.Wait()
		fill(&f, 1)
		synctest.Wait()
		cancel()
		synctest.Wait()
		var all []uint64
		for n := range got {
			all = append(all, n)
		}
		if len(all) != 2 || all[0] != 1 || all[1] != 2 {
			t.Errorf("got events %v, want 1 and 2", all)
		}
	})
}
