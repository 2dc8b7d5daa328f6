package remote_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/remote"
)

func event(kind store.Kind, host string, rev store.Rev) store.Event {
	return store.Event{Kind: kind, Rev: rev, Entry: store.Entry{Key: store.Key{Cluster: "prod", Host: host}}}
}

// proves I5: what a slow reader has not taken is overtaken, and it gets the rest
// in the order of its revisions.
func TestASlowReaderGetsEachHostsNewestInOrder(t *testing.T) {
	inbox := remote.NewInbox()
	inbox.Add(event(store.Put, "gone with the resync", 1))
	inbox.Add(store.Event{Kind: store.Resync, Rev: 2})
	for rev := store.Rev(3); rev < 10003; rev++ {
		inbox.Add(event(store.Put, fmt.Sprint("h", rev%10), rev))
	}
	inbox.Add(event(store.Gone, "h0", 10003))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events := make(chan store.Event)
	go inbox.Deliver(ctx, events)
	if e := <-events; e.Kind != store.Resync {
		t.Fatalf("got %+v first, want the resync", e)
	}
	seen, last := map[string]bool{}, store.Rev(2)
	for range 10 {
		e := <-events
		if host := e.Entry.Key.Host; seen[host] || e.Rev <= last {
			t.Errorf("got %+v after revision %d", e, last)
		}
		seen[e.Entry.Key.Host], last = true, e.Rev
	}
	if last != 10003 {
		t.Errorf("the last was %d, want 10003", last)
	}
	inbox.Add(event(store.Put, "h1", 10004))
	if e := <-events; e.Rev != 10004 {
		t.Errorf("got %+v, want what came later", e)
	}
}
