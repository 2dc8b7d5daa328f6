package dogstatsd_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/dogstatsd"
)

func to(s ...*sink) dogstatsd.Settings {
	var settings dogstatsd.Settings
	for _, s := range s {
		settings.Upstreams = append(settings.Upstreams, s.url)
	}
	return settings
}

func TestRelayNamesTheContainer(t *testing.T) {
	up := udpSink(t)
	r := start(t, dogstatsd.Options{Settings: to(up)})
	r.Origins([]dogstatsd.Origin{container(1), container(2)})
	r.client(home(1)).send("placed:1|c")
	r.client(home(2)).send("paid:2|c|#a:b\nshipped:3|g\n")
	got := up.want(3)
	slices.Sort(got)
	want := []string{"paid:2|c|#a:b" + suffix(2), "placed:1|c" + suffix(1), "shipped:3|g" + suffix(2)}
	if !slices.Equal(got, want) {
		t.Errorf("the upstream got %q, want %q", got, want)
	}
	s := r.balanced()
	if s.Total.Messages != 3 || s.Total.Datagrams != 2 || s.Total.Unresolved != 0 || s.Outlets[0].Messages != 3 || !s.Outlets[0].Up {
		t.Errorf("the counters say %+v", s)
	}
}

func TestManySmallDatagramsBecomeFewLargeOnes(t *testing.T) {
	up := udpSink(t)
	r := start(t, dogstatsd.Options{Settings: to(up)})
	r.Origins([]dogstatsd.Origin{container(1)})
	c := r.client(home(1))
	const n = 2000
	for i := range n {
		c.send("a.metric.of.usual.length:%d|c", i)
	}
	lines := up.want(n)
	for i, l := range lines {
		if want := fmt.Sprintf("a.metric.of.usual.length:%d|c%s", i, suffix(1)); l != want {
			t.Fatalf("line %d is %q, want %q", i, l, want)
		}
	}
	up.mu.Lock()
	defer up.mu.Unlock()
	if len(up.sizes) > n/10 || slices.Max(up.sizes) > 8192 {
		t.Errorf("%d datagrams became %d, the largest of %d bytes", n, len(up.sizes), slices.Max(up.sizes))
	}
}

func TestAnUnknownSenderIsWaitedFor(t *testing.T) {
	up := udpSink(t)
	asked := make(chan struct{}, 10)
	r := start(t, dogstatsd.Options{Settings: to(up), Lookup: func(a netip.Addr) {
		if a == home(1) {
			asked <- struct{}{}
		}
	}})
	r.client(home(1)).send("early:1|c\nearlier:1|c")
	<-asked
	r.Origins([]dogstatsd.Origin{container(1)})
	got := up.want(2)
	if got[0] != "early:1|c"+suffix(1) || got[1] != "earlier:1|c"+suffix(1) {
		t.Errorf("got %q", got)
	}
	r.balanced()
}

func TestAnUnknownSenderIsNotWaitedForForEver(t *testing.T) {
	up := udpSink(t)
	r := start(t, dogstatsd.Options{Settings: to(up)})
	began := time.Now()
	r.client(home(1)).send("stranger:1|c")
	if got := up.want(1); got[0] != "stranger:1|c" || time.Since(began) < 250*time.Millisecond {
		t.Errorf("got %q after %v", got, time.Since(began))
	}
	if s := r.balanced(); s.Total.Unresolved != 1 {
		t.Errorf("%d messages went on without an origin, want 1", s.Total.Unresolved)
	}
}

func TestWhoComesFromThisHostIsNotWaitedFor(t *testing.T) {
	up := udpSink(t)
	r := start(t, dogstatsd.Options{Settings: to(up), Lookup: func(a netip.Addr) { t.Errorf("asked for %s", a) }})
	r.client(r.to.Addr()).send("host:1|c")
	up.want(1)
	r.balanced()
}

// An address that a dead container had belongs to nobody, and then to the next
// one, whose first datagrams wait for its name. None of them gets the wrong one.
func TestAnAddressThatIsUsedAgainNamesTheNextContainer(t *testing.T) {
	up := udpSink(t)
	r := start(t, dogstatsd.Options{Settings: to(up)})
	before, after := container(1), container(2)
	after.Addresses = before.Addresses
	r.Origins([]dogstatsd.Origin{before})
	c := r.client(home(1))
	c.send("one:1|c")
	up.want(1)
	r.Ended(before.ID, time.Now())
	rest(50 * time.Millisecond) // as long as any container takes to begin
	c.send("two:1|c")
	eventually(t, "the second to be read", func() bool { return r.Stats().Total.Held > 0 || r.Stats().Total.Messages == 1 })
	after.Started = time.Now()
	r.Origins([]dogstatsd.Origin{after})
	c.send("three:1|c")
	got := up.want(3)
	want := []string{"one:1|c" + suffix(1), "two:1|c" + suffix(2), "three:1|c" + suffix(2)}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r.balanced()
}

func TestNewsOfAnEarlierRunEndsNothing(t *testing.T) {
	up := udpSink(t)
	r := start(t, dogstatsd.Options{Settings: to(up)})
	again := container(1)
	again.Started = time.Now()
	r.Origins([]dogstatsd.Origin{again})
	r.Ended(again.ID, again.Started.Add(-time.Second))
	r.client(home(1)).send("alive:1|c")
	if got := up.want(1); got[0] != "alive:1|c"+suffix(1) {
		t.Errorf("got %q", got)
	}
}

func TestModesAddWhatTheySay(t *testing.T) {
	tests := map[dogstatsd.Mode]string{
		dogstatsd.Field: "m:1|c|#a:b" + suffix(1),
		dogstatsd.Inode: "m:1|c|#a:b|c:in-77",
		dogstatsd.Tags:  "m:1|c|#a:b,service:service1",
		dogstatsd.Off:   "m:1|c|#a:b",
		dogstatsd.Auto:  "m:1|c|#a:b" + suffix(1), // no credentials over UDP
	}
	for mode, want := range tests {
		t.Run(string(mode), func(t *testing.T) {
			up := udpSink(t)
			settings := to(up)
			settings.Mode = mode
			r := start(t, dogstatsd.Options{Settings: settings})
			o := container(1)
			o.Inode = 77
			r.Origins([]dogstatsd.Origin{o})
			r.client(home(1)).send("m:1|c|#a:b")
			if got := up.want(1); got[0] != want {
				t.Errorf("got %q, want %q", got[0], want)
			}
		})
	}
}

func TestSettingsChangeWhileItRuns(t *testing.T) {
	first, second := udpSink(t), udpSink(t)
	r := start(t, dogstatsd.Options{Settings: to(first)})
	r.Origins([]dogstatsd.Origin{container(1)})
	c := r.client(home(1))
	c.send("a:1|c")
	first.want(1)
	settings := to(second)
	settings.Mode = dogstatsd.Tags
	if err := r.Set(settings); err != nil {
		t.Fatal(err)
	}
	c.send("b:1|c")
	if got := second.want(1); got[0] != "b:1|c|#service:service1" {
		t.Errorf("got %q", got)
	}
	if err := r.Set(dogstatsd.Settings{Upstreams: []string{"tcp://127.0.0.1:1"}}); err == nil || !strings.Contains(err.Error(), "tcp://") {
		t.Errorf("a wrong upstream gives %v", err)
	}
	c.send("c:1|c")
	second.want(2)
	r.balanced()
}

func TestLimitsOfOneContainerAreItsOwn(t *testing.T) {
	up := udpSink(t)
	settings := to(up)
	settings.Contexts, settings.Block = 3, map[string][]string{"service1": {"debug."}, "*": {"noise"}}
	r := start(t, dogstatsd.Options{Settings: settings})
	r.Origins([]dogstatsd.Origin{container(1), container(2)})
	one, two := r.client(home(1)), r.client(home(2))
	for i := range 10 {
		one.send("debug.x:1|c\nm:1|c|#user:%d\nnoise.a:1|c", i)
	}
	two.send("debug.x:1|c\nnoise:1|c\nm:1|c")
	up.want(3 + 2)
	s := r.balanced()
	for _, of := range s.Senders {
		want := map[dogstatsd.Cause]uint64{dogstatsd.Blocked: 20, dogstatsd.Cardinality: 7}
		if of.Container == id(2) {
			want = map[dogstatsd.Cause]uint64{dogstatsd.Blocked: 1}
		}
		if fmt.Sprint(of.Dropped) != fmt.Sprint(want) {
			t.Errorf("of %s were dropped %v, want %v", of.Service, of.Dropped, want)
		}
	}
}

func TestAContainerAboveItsRateLosesOnlyItsOwn(t *testing.T) {
	up := udpSink(t)
	settings := to(up)
	settings.Rate = 100
	r := start(t, dogstatsd.Options{Settings: settings})
	r.Origins([]dogstatsd.Origin{container(1), container(2)})
	one, two := r.client(home(1)), r.client(home(2))
	for range 1000 {
		one.send("much:1|c")
	}
	for range 50 {
		two.send("little:1|c")
	}
	eventually(t, "all to be read", func() bool { return r.Stats().Total.Messages == 1050 })
	for _, of := range r.balanced().Senders {
		if lost := of.Dropped[dogstatsd.Rate]; of.Container == id(1) && (lost < 700 || lost > 900) || of.Container == id(2) && lost != 0 {
			t.Errorf("%s lost %d of %d", of.Service, lost, of.Messages)
		}
	}
}

func TestATapShowsWhatPasses(t *testing.T) {
	up := udpSink(t)
	r := start(t, dogstatsd.Options{Settings: to(up)})
	r.Origins([]dogstatsd.Origin{container(1), container(2)})
	lines := r.Tap(dogstatsd.Filter{Service: "service1", Name: "a."})
	defer lines.Close()
	whole := r.Tap(dogstatsd.Filter{Container: string(id(2)), Datagrams: true})
	defer whole.Close()
	r.client(home(1)).send("a.b:1|c\nb.a:1|c")
	r.client(home(2)).send("a.b:2|c\r\n\nb.a:2|c")
	if got := <-lines.C; string(got.Bytes) != "a.b:1|c"+suffix(1) || got.Container != id(1) || got.Address != home(1) {
		t.Errorf("the tap shows %q of %s", got.Bytes, got.Container)
	}
	if got := <-whole.C; string(got.Bytes) != "a.b:2|c\r\n\nb.a:2|c" {
		t.Errorf("the tap shows %q", got.Bytes)
	}
	up.want(4)
	if len(lines.C)+len(whole.C) > 0 || lines.Missed() > 0 {
		t.Error("a tap shows more than it was to")
	}
}
