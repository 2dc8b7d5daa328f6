package etcd_test

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/test/storeserver"
)

// Its lease lives on, so only a look for the key tells.
func TestARecordThatIsDeletedByHandIsMissedWithinATTL(t *testing.T) {
	t.Parallel()
	server := storeserver.Etcd(t, storeserver.Debian)
	s := open(t, "etcd://"+server.Addr())
	defer s.Close()
	r := store.Record{V: store.Version, Host: "h1", Cluster: "prod", Boot: "boot", Incarnation: "A", Seq: 1, State: store.OK}
	session, err := s.Open(t.Context(), r.Key(), ttl)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := session.Publish(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{server.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	lost := session.Lost()
	if answer, err := client.Delete(t.Context(), r.Key().String()); err != nil || answer.Deleted != 1 {
		t.Fatalf("deleted %+v, %v", answer, err)
	}
	select {
	case <-lost:
	case <-time.After(ttl + late):
		t.Fatal("the session still takes the record for held")
	}
	if err := session.Publish(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if shot, err := s.List(t.Context(), "prod"); err != nil || len(shot.Entries) != 1 || !shot.Entries[0].Record.Same(r) {
		t.Errorf("got %+v, %v, want the record again", shot, err)
	}
}
