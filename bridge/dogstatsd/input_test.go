package dogstatsd_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/dogstatsd"
)

func TestNothingThatIsSentStopsIt(t *testing.T) {
	s := unixSink(t)
	s.listen()
	r := start(t, dogstatsd.Options{Settings: to(s)})
	r.Origins([]dogstatsd.Origin{container(1)})
	c := r.client(home(1))
	long := strings.Repeat("x", 65000)
	for _, d := range []string{
		"", "\n", "\r\n\r\n", "|", "::::", "|#", "_e{", "_e{99999999999999999999,1}:a|b", "_sc|", "\x00\xff\xfe", strings.Repeat("\n", 60000),
		strings.Repeat("a:1|c\n", 10000), long, long + "|c", strings.Repeat("|c:", 20000), strings.Repeat("y", 65507),
	} {
		c.send("%s", d)
	}
	for n := range 300 { // addresses that no container has
		r.client(netip.AddrFrom4([4]byte{127, 9, byte(n >> 8), byte(n)})).send("spoofed:1|c")
	}
	c.send("last:1|c")
	eventually(t, "the last line", func() bool {
		return slices.ContainsFunc(s.got(), func(l string) bool { return strings.HasPrefix(l, "last:1|c") })
	})
	got := r.balanced()
	if got.Total.Delivered+got.Total.Dropped[dogstatsd.Oversize] != got.Total.Messages {
		t.Errorf("the counters say %+v", got.Total)
	}
	if len(got.Senders) > 260 {
		t.Errorf("%d senders have counters", len(got.Senders))
	}
}

// What is counted is what the whole process allocates: nothing for a datagram.
func TestADatagramTakesNoMemory(t *testing.T) {
	nobody, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0) // a server that never reads
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(nobody)
	if err := unix.Bind(nobody, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(nobody)
	if err != nil {
		t.Fatal(err)
	}
	settings := dogstatsd.Settings{Upstreams: []string{fmt.Sprintf("udp://127.0.0.1:%d", at.(*unix.SockaddrInet4).Port)}}
	r := start(t, dogstatsd.Options{Settings: settings})
	r.Origins([]dogstatsd.Origin{container(1)})
	raw, err := r.client(home(1)).c.File()
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	d, fd := []byte("a.metric.of.usual.length:1|c|#env:prod,service:orders"), int(raw.Fd())
	const rounds, burst = 20, 1000
	got := testing.AllocsPerRun(rounds, func() {
		for range burst {
			_, _ = unix.Write(fd, d)
		}
		rest(20 * time.Millisecond)
	})
	r.read((rounds + 1) * burst)
	if got > 5 {
		t.Errorf("%v allocations for %d datagrams", got, burst)
	}
}
