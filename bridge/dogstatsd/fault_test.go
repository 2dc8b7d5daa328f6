package dogstatsd_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/dogstatsd"
)

// numbered sends lines that say which they are.
func numbered(c *client, from, to int) {
	for i := from; i < to; i++ {
		c.send("n:%d|g", i)
	}
}

// inOrder holds that lines are numbered from 0 to n, each once.
func inOrder(t *testing.T, lines []string, n int) {
	t.Helper()
	if len(lines) != n {
		t.Fatalf("the upstream got %d lines, want %d", len(lines), n)
	}
	for i, l := range lines {
		if !strings.HasPrefix(l, fmt.Sprintf("n:%d|g", i)) {
			t.Fatalf("line %d is %q", i, l)
		}
	}
}

// read waits until the relay has read n messages.
func (r *rig) read(n int) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d messages to be read", n), func() bool { return r.Stats().Total.Messages >= uint64(n) })
}

// proves R1.
func TestNothingIsLostWhileTheUpstreamIsAway(t *testing.T) {
	for name, up := range map[string]func(*testing.T) (s *sink, away, back func()){
		"a unix socket that is not there yet": func(t *testing.T) (*sink, func(), func()) {
			s := unixSink(t)
			return s, func() {}, s.listen
		},
		"a unix socket whose server ends": func(t *testing.T) (*sink, func(), func()) {
			s := unixSink(t)
			s.listen()
			return s, s.close, s.listen
		},
		"a UDP port whose server ends": func(t *testing.T) (*sink, func(), func()) {
			s := udpSink(t)
			return s, s.close, func() { s.open("udp", strings.TrimPrefix(s.url, "udp://")) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, away, back := up(t)
			r := start(t, dogstatsd.Options{Settings: to(s)})
			r.Origins([]dogstatsd.Origin{container(1)})
			c := r.client(home(1))
			n := 0
			if s.conn != nil {
				n = 1000
				numbered(c, 0, n)
				s.want(n)
			}
			away()
			for range 20 {
				numbered(c, n, n+500)
				n += 500
				r.read(n)
				rest(time.Millisecond)
			}
			eventually(t, "the upstream to be down", func() bool { return !r.Stats().Outlets[0].Up })
			back()
			numbered(c, n, n+1000)
			n += 1000
			inOrder(t, s.want(n), n)
			if got := r.balanced(); got.Total.Delivered != uint64(n) || !got.Outlets[0].Up || got.Outlets[0].Held != 0 {
				t.Errorf("the counters say %+v", got.Total)
			}
		})
	}
}

// proves R1.
func TestTheOldestMakeRoomWhenTooMuchIsHeld(t *testing.T) {
	s := unixSink(t)
	settings := to(s)
	settings.Hold = 64 << 10
	r := start(t, dogstatsd.Options{Settings: settings})
	r.Origins([]dogstatsd.Origin{container(1), container(2)})
	one, two := r.client(home(1)), r.client(home(2))
	const n = 3000
	for i := range n {
		one.send("n:%d|g", i)
		two.send("n:%d|g", i)
	}
	r.read(2 * n)
	s.listen()
	got := r.balanced()
	lost := got.Total.Dropped[dogstatsd.Ring]
	if lost == 0 || got.Total.Delivered+lost != 2*n || got.Outlets[0].Dropped != lost {
		t.Fatalf("the counters say %+v", got)
	}
	lines := s.want(int(got.Total.Delivered))
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, fmt.Sprint("n:", n-1)) {
		t.Errorf("the newest line is %q", last)
	}
}

func TestAReplacedSocketIsNoticedWhileTheOldOneLives(t *testing.T) {
	s := unixSink(t)
	s.listen()
	r := start(t, dogstatsd.Options{Settings: to(s)})
	r.Origins([]dogstatsd.Origin{container(1)})
	c := r.client(home(1))
	numbered(c, 0, 10)
	s.want(10)
	old := s.conn // it goes on to listen, and nobody would know of it any more
	s.listen()
	defer old.Close()
	s.mu.Lock()
	s.lines = nil
	s.mu.Unlock()
	numbered(c, 0, 100)
	s.want(100)
	r.balanced()
}

// A unix socket's queue holds some ten datagrams: what is sent faster than they
// are read has to wait its turn.
func TestASlowUpstreamGetsEverything(t *testing.T) {
	s := unixSink(t)
	s.listen()
	s.nap = 3 * time.Millisecond
	settings := to(s)
	settings.Mode = dogstatsd.Off
	r := start(t, dogstatsd.Options{Settings: settings})
	c := r.client(home(1))
	r.Origins([]dogstatsd.Origin{container(1)})
	const n = 30000
	for i := range n {
		c.send("n:%d|g|#%s", i, strings.Repeat("x", 100))
		if i%1000 == 999 {
			r.read(i - 900)
		}
	}
	inOrder(t, s.want(n), n)
	r.balanced()
}

// Some eleven datagrams are all that a unix socket's queue holds. At 40 MB a
// second that is a fifth of what comes in one wait: what is held has to go on
// meanwhile. A relay that does not do it loses each time; one that does, only
// when the machine gives it no time.
func TestAUnixSocketTakesMoreThanItsQueueInOneWait(t *testing.T) {
	const attempts, rate, size = 8, 30_000, 1400
	url := "unixgram://" + filepath.Join(t.TempDir(), "dsd.socket")
	server, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: strings.TrimPrefix(url, "unixgram://"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		buffer := make([]byte, 8192)
		for {
			if _, err := server.Read(buffer); err != nil {
				return
			}
		}
	}()
	r := start(t, dogstatsd.Options{Settings: dogstatsd.Settings{Upstreams: []string{url}, Mode: dogstatsd.Off, Hold: 8 << 20}})
	r.Origins([]dogstatsd.Origin{container(1)})
	c := r.client(home(1))
	d := strings.Repeat("x:1|c\n", size/6)
	lost := uint64(0)
	for range attempts {
		began := time.Now()
		for i := range 2 * rate {
			c.send("%s", d)
			if ahead := time.Duration(i)*time.Second/rate - time.Since(began); ahead > time.Millisecond {
				rest(ahead)
			}
		}
		before := lost
		if lost = r.balanced().Total.Dropped[dogstatsd.Ring]; lost == before {
			return
		}
	}
	t.Errorf("%d times in a row messages had no room in the ring, %d in all", attempts, lost)
}

func TestAStreamGetsFrames(t *testing.T) {
	s := streamSink(t)
	r := start(t, dogstatsd.Options{Settings: dogstatsd.Settings{Upstreams: []string{s.url}}})
	r.Origins([]dogstatsd.Origin{container(1)})
	c := r.client(home(1))
	const n = 5000
	for i := range n {
		numbered(c, i, i+1)
		if i%1000 == 999 {
			r.read(i)
		}
		if i == 2500 {
			s.want(2000)
			s.restart()
		}
	}
	eventually(t, "the newest line", func() bool {
		lines := s.got()
		return len(lines) > 0 && strings.HasPrefix(lines[len(lines)-1], fmt.Sprint("n:", n-1))
	})
	if got := len(s.got()); got < n-1000 { // what the server had in its buffers when it ended is its own
		t.Errorf("it got %d of %d lines", got, n)
	}
	r.balanced()
}

func TestEachMirrorGetsACopy(t *testing.T) {
	first, second, away := udpSink(t), unixSink(t), unixSink(t)
	second.listen()
	r := start(t, dogstatsd.Options{Settings: to(first, second, away)})
	r.Origins([]dogstatsd.Origin{container(1)})
	numbered(r.client(home(1)), 0, 1000)
	inOrder(t, first.want(1000), 1000)
	inOrder(t, second.want(1000), 1000)
	if s := r.balanced(); s.Total.Delivered != 1000 || s.Outlets[1].Messages != 1000 || s.Outlets[2].Up || s.Outlets[2].Held == 0 {
		t.Errorf("the counters say %+v", s.Outlets)
	}
	away.listen()
	inOrder(t, away.want(1000), 1000)
}

func TestTheFallbackTakesOverAndGivesBack(t *testing.T) {
	first, second := unixSink(t), udpSink(t)
	settings := to(first)
	settings.Fallback = second.url
	r := start(t, dogstatsd.Options{Settings: settings})
	r.Origins([]dogstatsd.Origin{container(1)})
	c := r.client(home(1))
	numbered(c, 0, 100)
	inOrder(t, second.want(100), 100)
	first.listen()
	eventually(t, "the first to be used", func() bool {
		c.send("more:1|c")
		return len(first.got()) > 0
	})
	r.balanced()
}

// A container that floods fills its own queue. Kernel drops are counted, and
// the sum is exact.
func TestAFloodCostsNobodyElse(t *testing.T) {
	s := unixSink(t)
	s.listen()
	r := start(t, dogstatsd.Options{Settings: to(s)})
	r.Origins([]dogstatsd.Origin{container(1), container(2)}) // the last bits differ: two queues
	flood, victim := r.client(home(1)), r.client(home(2))
	done := make(chan int)
	go func() {
		n := 0
		for end := time.Now().Add(time.Second); time.Now().Before(end); n++ {
			_, _ = flood.c.Write([]byte("flood:1|c"))
		}
		done <- n
	}()
	for i := range 1000 {
		victim.send("n:%d|g", i)
		rest(time.Millisecond)
	}
	n := <-done
	r.read(1000)
	eventually(t, "all that was sent to be read or dropped", func() bool {
		s := r.Stats().Total
		return s.Datagrams+s.Dropped[dogstatsd.Kernel] == uint64(n)+1000
	})
	for _, of := range r.balanced().Senders {
		if of.Container == id(2) && (of.Messages != 1000 || of.Delivered != 1000) {
			t.Errorf("of 1000 messages %d were read and %d delivered", of.Messages, of.Delivered)
		}
	}
}

// Whoever goes on has the sockets, with what came meanwhile, and what was held.
func TestARestartLosesNothing(t *testing.T) {
	s := unixSink(t)
	s.listen()
	kept := map[string]int{}
	options := dogstatsd.Options{
		Settings: to(s),
		Keep: func(name string, fd int) {
			dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				t.Error(err)
			}
			kept[name] = dup
		},
		Unkeep: func(name string) {
			_ = unix.Close(kept[name])
			delete(kept, name)
		},
	}
	r := start(t, options)
	r.Origins([]dogstatsd.Origin{container(1)})
	c := r.client(home(1))
	n := 0
	for round := range 5 {
		numbered(c, n, n+200)
		n += 200
		if round == 2 { // the upstream is away too, over the next restart
			s.want(n) // what lies in its queue when it ends is its own
			s.close()
		}
		if round == 3 {
			s.listen()
		}
		r.stop()
		numbered(c, n, n+200) // while nobody is there
		n += 200
		options.Handed = map[string]*os.File{}
		for name, fd := range kept {
			dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			options.Handed[name] = os.NewFile(uintptr(dup), name)
		}
		r.run(options)
		r.Origins([]dogstatsd.Origin{container(1)})
		if err := r.Listen([]netip.AddrPort{r.to}, nil); err != nil {
			t.Fatal(err)
		}
	}
	lines := s.want(n)
	inOrder(t, lines, n)
	for _, l := range lines {
		if !strings.HasSuffix(l, suffix(1)) {
			t.Fatalf("%q has no origin", l)
		}
	}
	r.balanced()
}

func TestAnAddressThatIsTakenIsSaid(t *testing.T) {
	s := udpSink(t)
	r := start(t, dogstatsd.Options{Settings: to(s)})
	taken := netip.MustParseAddrPort(strings.TrimPrefix(s.url, "udp://"))
	err := r.Listen([]netip.AddrPort{r.to, taken}, nil)
	if err == nil || !strings.Contains(err.Error(), taken.String()) {
		t.Errorf("a taken port gives %v", err)
	}
	r.Origins([]dogstatsd.Origin{container(1)})
	r.client(home(1)).send("m:1|c")
	s.want(1)
}
