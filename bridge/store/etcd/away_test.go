package etcd_test

import (
	"context"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/test/storeserver"
)

// Hosts whose calls wait for a connection would all go on at once.
func TestACallToServersThatAreGoneDoesNotWaitForThem(t *testing.T) {
	t.Parallel()
	server := storeserver.Etcd(t, storeserver.Debian)
	s := open(t, "etcd://"+server.Addr())
	defer s.Close()
	r := store.Record{V: store.Version, Host: "h1", Cluster: "prod", Boot: "boot", Incarnation: "A", Seq: 1, State: store.OK}
	session, err := s.Open(t.Context(), r.Key(), 90*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := session.Publish(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	for range 5 {
		r.Seq++
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := session.Publish(ctx, r); err == nil || ctx.Err() != nil {
			t.Fatalf("a record for a server that is gone: %v, and %v", err, ctx.Err())
		}
		cancel()
	}
}
