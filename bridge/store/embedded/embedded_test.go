package embedded_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store"
	"github.com/berth-dev/berth/bridge/store/embedded"
	"github.com/berth-dev/berth/bridge/store/storetest"
)

func TestContract(t *testing.T) {
	var jumped atomic.Int64
	storetest.Run(t, storetest.Engine{
		Open: func(t *testing.T, place string) store.Store {
			s, notice, err := embedded.Open(filepath.Join(place, "store"), embedded.Options{
				Now: func() time.Time { return time.Now().Round(0).Add(time.Duration(jumped.Load())) },
			})
			if err != nil || notice != "" {
				t.Fatalf("open: %v, notice %q", err, notice)
			}
			return s
		},
		TTL: 90 * time.Second, Jump: func(by time.Duration) { jumped.Add(int64(by)) }, Bubble: true,
	})
}
