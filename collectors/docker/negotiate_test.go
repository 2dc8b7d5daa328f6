package docker_test

import (
	"errors"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/berth-dev/berth/collectors/docker"
)

// Each call to an Engine that is not there makes a client of Docker's anew: those
// of many goroutines know nothing of each other, and none leaves anything behind
// in what they share.
func TestAnEngineThatIsAwayForLongLeavesNothingBehind(t *testing.T) {
	c, err := docker.Dial(filepath.Join(t.TempDir(), "none.sock"))
	if err != nil {
		t.Fatal(err)
	}
	before := c.Transport()
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 10 {
				if _, err := c.List(t.Context()); !errors.Is(err, syscall.ENOENT) {
					t.Errorf("list: %v", err)
				}
			}
		})
	}
	calls.Wait()
	if c.Transport() != before {
		t.Errorf("requests go by %T now, not by %T", c.Transport(), before)
	}
}
