package publish_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/collectors/identity"
)

func TestTheRecordSaysWhatTheHostShows(t *testing.T) {
	onHost(t, func(h *host) {
		p, _ := h.publisher()
		h.sees(orders("a", 32801))
		got := h.record()
		vector := func(registered, reserved int64) store.Vector {
			return store.Vector{Registered: registered, Scheduled: reserved, Host: reserved}
		}
		want := store.Record{
			V: 1, Host: "h1", Cluster: "prod", IP: netip.MustParseAddr("10.1.2.3"), Boot: "boot-1", State: store.OK,
			Reservation: &store.Reservation{
				CPU: vector(4096, 256), Memory: vector(8192, 512), Tasks: 1, Source: "docker",
				Shapes: []store.Shape{{Service: "orders", CPU: 256, Memory: 512, Tasks: 1}},
			},
			Mappings: []store.Mapping{{
				Service: "orders", Instance: 1, Task: "a", Container: "app", ID: "aaaaaaaaaaaa", Port: 5555, Protocol: "tcp",
				IP: netip.MustParseAddr("10.1.2.3"), HostPort: 32801, Name: "jmxmp", URL: "service:jmx:jmxmp://10.1.2.3:32801", Since: 1790856000,
			}},
		}
		ignore := cmpopts.IgnoreFields(store.Record{}, "Incarnation", "Seq")
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}), ignore); diff != "" {
			t.Error(diff)
		}
		if got.Incarnation == "" || got.Seq != 1 {
			t.Errorf("got incarnation %q, number %d", got.Incarnation, got.Seq)
		}
		if now, ok := p.Current(); !ok || now.Hash() != got.Hash() {
			t.Errorf("Current is %+v, %t", now, ok)
		}
		if s := p.Status(); s.Engine != embeddedEngine || s.Fault != "" || s.Published.IsZero() || s.Mappings != 1 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestAChangeIsPublishedAndTimeIsNot(t *testing.T) {
	onHost(t, func(h *host) {
		h.publisher()
		h.sees(orders("a", 1))
		before := h.record()
		events := h.watch()
		for range 5 { // the same picture, seen again and again
			<-time.After(time.Hour)
			h.sees(orders("a", 1))
		}
		h.sees(orders("a", 2))
		after := h.record()
		if after.Seq != before.Seq+1 || after.Mappings[0].HostPort != 2 {
			t.Errorf("got %+v after %+v", after, before)
		}
		if got := events(); len(got) != 1 || got[0].Kind != store.Put {
			t.Errorf("got events %+v, want one Put", got)
		}
	})
}

func TestAnUnsyncedPictureIsNeverPublished(t *testing.T) {
	onHost(t, func(h *host) {
		p, _ := h.publisher()
		settle()
		h.goesBlind()
		settle()
		if e, ok := h.entry(); ok {
			t.Errorf("published %+v before the first listing", e.Record)
		}
		if r, ok := p.Current(); ok {
			t.Errorf("Current is %+v before the first listing", r)
		}
		h.sees()
		if r := h.record(); len(r.Mappings) != 0 || r.State != store.OK {
			t.Errorf("got %+v, want an empty host", r)
		}
	})
}

// P2: Docker's absence takes no mapping away.
func TestP2DockerDownKeepsMappings(t *testing.T) {
	onHost(t, func(h *host) {
		h.publisher()
		h.sees(orders("a", 1))
		h.record()
		h.goesBlind()
		if r := h.record(); r.State != store.DockerDown || len(r.Mappings) != 1 {
			t.Errorf("while Docker is away: %+v", r)
		}
		<-time.After(time.Hour)
		if r := h.record(); len(r.Mappings) != 1 {
			t.Errorf("an hour later: %+v", r)
		}
		h.sees(orders("a", 1))
		if r := h.record(); r.State != store.OK || len(r.Mappings) != 1 || r.Seq != 3 {
			t.Errorf("once Docker is back: %+v", r)
		}
	})
}

// P2: a restart of the agent and its store is no event, and the incarnation
// goes on.
func TestP2ARestartIsNoEvent(t *testing.T) {
	onHost(t, func(h *host) {
		_, stop := h.publisher()
		h.sees(orders("a", 1))
		before := h.record()
		stop()
		events := h.watch()
		<-time.After(time.Minute)
		h.hub.Replace(h.hub.Snapshot()) // nobody listens
		_, stop = h.publisher()
		settle()
		stop()
		if got := events(); len(got) != 0 {
			t.Errorf("the agent's restart is %+v", got)
		}

		if err := h.store.Close(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		h.open()
		h.hub = newHub()
		events = h.watch()
		h.publisher()
		<-time.After(time.Hour) // Docker is slow to answer, and the record is held
		h.sees(orders("a", 1))
		settle()
		if got := events(); len(got) != 0 {
			t.Errorf("the restart of agent and store is %+v", got)
		}
		if after := h.record(); !after.Same(before) {
			t.Errorf("got %+v, want %+v", after, before)
		}
		h.sees(orders("a", 2))
		if after := h.record(); after.Incarnation != before.Incarnation || after.Seq != before.Seq+1 {
			t.Errorf("after a change: got %+v after %+v", after, before)
		}
	})
}

func TestWithDockerAwayARestartKeepsTheRecord(t *testing.T) {
	onHost(t, func(h *host) {
		_, stop := h.publisher()
		h.sees(orders("a", 1))
		before := h.record()
		stop()
		h.hub = newHub()
		h.publisher()
		h.goesBlind()
		<-time.After(time.Hour)
		after := h.record()
		if after.State != store.DockerDown || len(after.Mappings) != 1 || after.Seq != before.Seq+1 {
			t.Errorf("got %+v, want the mappings of before and docker-down", after)
		}
	})
}

func TestARebootBeginsAnIncarnation(t *testing.T) {
	onHost(t, func(h *host) {
		_, stop := h.publisher()
		h.sees(orders("a", 1), orders("b", 2))
		before := h.record()
		stop()
		h.becomes(func(i *identity.Host) { i.Boot = "boot-2" })
		h.hub = newHub()
		p, _ := h.publisher()
		if r, ok := p.Current(); ok {
			t.Errorf("took up %+v of the boot before", r)
		}
		h.sees(orders("c", 3))
		after := h.record()
		if !after.Ahead(before) || after.Incarnation == before.Incarnation || after.Seq != 1 || len(after.Mappings) != 1 {
			t.Errorf("got %+v after %+v", after, before)
		}
	})
}

// P1: without its agent the record goes.
func TestP1TheRecordGoesWithItsAgent(t *testing.T) {
	onHost(t, func(h *host) {
		_, stop := h.publisher()
		h.sees(orders("a", 1))
		h.record()
		stop()
		<-time.After(89 * time.Second)
		if _, ok := h.entry(); !ok {
			t.Error("the record has gone before its TTL")
		}
		<-time.After(2 * time.Second)
		if e, ok := h.entry(); ok {
			t.Errorf("the record is still there: %+v", e)
		}
	})
}

func TestAStormIsPublishedFiveTimesASecond(t *testing.T) {
	onHost(t, func(h *host) {
		h.publisher()
		h.sees()
		h.record()
		events := h.watch()
		for i := range 1000 { // ten seconds long
			h.sees(orders("a", uint16(i+1)))
			<-time.After(10 * time.Millisecond)
		}
		if r := h.record(); r.Mappings[0].HostPort != 1000 {
			t.Errorf("got port %d, want the last one", r.Mappings[0].HostPort)
		}
		if n := len(events()); n < 40 || n > 51 {
			t.Errorf("%d records in ten seconds, want five a second", n)
		}
	})
}

func TestAChangeIsPublishedAtOnceWhenItWasQuiet(t *testing.T) {
	onHost(t, func(h *host) {
		h.publisher()
		h.sees()
		h.record()
		h.sees(orders("a", 1))
		<-time.After(20 * time.Millisecond)
		synctest.Wait()
		if e, _ := h.entry(); len(e.Record.Mappings) != 1 {
			t.Errorf("after 20 ms the store holds %+v", e.Record)
		}
	})
}

func TestAnAddressCanComeLateAndStays(t *testing.T) {
	onHost(t, func(h *host) {
		address := h.is.Address
		h.becomes(func(i *identity.Host) { i.Address = netip.Addr{} })
		h.publisher()
		h.sees(orders("a", 1))
		if r := h.record(); r.Mappings[0].URL != "" || r.IP.IsValid() {
			t.Errorf("without an address: %+v", r)
		}
		h.becomes(func(i *identity.Host) { i.Address = address })
		<-time.After(30 * time.Second)
		if r := h.record(); r.Mappings[0].URL == "" {
			t.Errorf("with an address: %+v", r)
		}
		h.becomes(func(i *identity.Host) { i.Address = netip.Addr{} })
		h.sees(orders("a", 1), orders("b", 2))
		if r := h.record(); len(r.Mappings) != 2 || r.Mappings[1].URL == "" {
			t.Errorf("while the network goes down: %+v", r)
		}
	})
}
