package remote_test

import (
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store/remote"
)

func TestAnOutageThatEndsFindsEachHostInTime(t *testing.T) {
	for _, ttl := range []time.Duration{time.Second, 10 * time.Second, 90 * time.Second, time.Hour} {
		p, err := remote.PaceOf(ttl)
		if err != nil || 2*(p.Pause+p.Call) >= ttl {
			t.Errorf("%s: pause %s and call %s do not fit twice: %v", ttl, p.Pause, p.Call, err)
		}
		for i := range 1000 {
			if r := p.Renewal(); r < ttl*2/9 || r > ttl/3 {
				t.Fatalf("%s: a renewal after %s", ttl, r)
			}
			if b := p.Backoff(1 + i%50); b <= 0 || b > p.Pause || i%50 > 10 && b < p.Pause*2/3 {
				t.Fatalf("%s: a pause of %s, at most %s is allowed", ttl, b, p.Pause)
			}
		}
	}
	if _, err := remote.PaceOf(0); err == nil {
		t.Error("a TTL of nothing has a pace")
	}
}

// A server that comes back meets hosts whose next try is as likely in one second
// as in another: none with more than a tenth of them.
func TestTheReturnOfAServerIsNotItsBusiestSecond(t *testing.T) {
	const hosts = 10_000
	p, err := remote.PaceOf(90 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	tries := map[int]int{} // by the second after the return
	for range hosts {
		at := time.Duration(0)
		for failures := 1; at < 10*time.Minute; failures++ {
			at += p.Backoff(failures)
		}
		tries[int((at-10*time.Minute)/time.Second)]++
	}
	for second, n := range tries {
		if n > hosts/10 || second > 15 {
			t.Errorf("%d of %d hosts return in second %d", n, hosts, second)
		}
	}
}
