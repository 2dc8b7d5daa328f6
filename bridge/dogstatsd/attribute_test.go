package dogstatsd_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/bridge/dogstatsd"
	"github.com/berth-dev/berth/collectors/inventory"
)

// One address, and who had it: the first container from 1000 to 2000 ms, the
// second from 3000 ms on.
func TestADatagramIsWhoseTheAddressWasWhenItArrived(t *testing.T) {
	began := time.Now().Add(-10 * time.Second)
	tests := map[string]struct {
		arrived int // milliseconds
		second  bool
		want    inventory.ID
	}{
		"before anybody":                        {900, true, ""},
		"in the first's life":                   {1500, true, id(1)},
		"the same, and nobody came after":       {1500, false, id(1)},
		"at the first's end":                    {2000, true, id(1)},
		"between the two":                       {2500, true, ""},
		"after the first, and nobody came":      {2500, false, ""},
		"when the second began, by its process": {2980, true, id(2)},
		"in the second's life":                  {3500, true, id(2)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			up := udpSink(t)
			r := start(t, dogstatsd.Options{Settings: to(up)})
			at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
			first, second := container(1), container(2)
			second.Addresses = first.Addresses
			first.Started, second.Started = at(1000), at(3000)
			r.Origins([]dogstatsd.Origin{first})
			r.Ended(first.ID, at(2000))
			var now []dogstatsd.Origin
			if tt.second {
				now = append(now, second)
			}
			r.Origins(now)
			if got := r.Owner(home(1), at(tt.arrived)); got != tt.want {
				t.Errorf("it is %s's, want %s's", got.Short(), tt.want.Short())
			}
		})
	}
}

// The end of a process is news of the kernel's own: nobody has to say it.
func TestTheEndOfAProcessFreesItsAddress(t *testing.T) {
	up := udpSink(t)
	process := exec.Command("sleep", "600")
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = process.Process.Kill() }()
	fd, err := unix.PidfdOpen(process.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, dogstatsd.Options{Settings: to(up)})
	first, second := container(1), container(2)
	first.Process = os.NewFile(uintptr(fd), "pidfd")
	second.Addresses = first.Addresses
	r.Origins([]dogstatsd.Origin{first})
	_ = first.Process.Close() // the relay has its own
	c := r.client(home(1))
	c.send("one:1|c")
	up.want(1)
	_ = process.Process.Kill()
	_ = process.Wait()
	rest(2 * time.Millisecond)
	c.send("two:1|c")
	second.Started = time.Now()
	rest(20 * time.Millisecond)
	r.Origins([]dogstatsd.Origin{second})
	if got := up.want(2); got[1] != "two:1|c"+suffix(2) {
		t.Errorf("after the process's end %q came", got[1])
	}
}
