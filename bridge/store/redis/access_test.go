package redis_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/bridge/store/redis"
	"github.com/berth-dev/berth/test/storeserver"
)

// A store's faults are shown to people: no secret may be in one.
func TestAPasswordIsNeededAndNeverTold(t *testing.T) {
	t.Parallel()
	server := storeserver.Redis(t, "--requirepass", "right")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, fine := range map[string]bool{
		"redis://" + server.Addr() + "/0?passwordfile=" + password: true,
		"redis://:right@" + server.Addr():                          true,
		"redis://:wr0ng@" + server.Addr():                          false,
		"redis://" + server.Addr():                                 false,
	} {
		s := open(t, url)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := s.List(ctx, "prod")
		cancel()
		if (err == nil) != fine || err != nil && strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: got %v", url, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, url := range []string{"redis://", "redis://" + server.Addr() + "/x", "redis://" + server.Addr() + "?colour=blue", "etcd://" + server.Addr()} {
		if s, err := redis.Open(url); err == nil {
			t.Errorf("%s was opened", url)
			_ = s.Close()
		}
	}
}
