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
			if b := p.Backoff(1 + i%50); b <= 0 || b > p.Pause {
				t.Fatalf("%s: a pause of %s, at most %s is allowed", ttl, b, p.Pause)
			}
		}
	}
	if _, err := remote.PaceOf(0); err == nil {
		t.Error("a TTL of nothing has a pace")
	}
}
