package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The flags of the long forms; the defaults are CI's.
var (
	cycles  = flag.Int("cycles", 48, "containers that the races create and remove")
	workers = flag.Int("workers", 4, "containers that the races have at once")
	kills   = flag.Int("kills", 20, "sudden deaths of the daemon")
)

// binary is the program under test, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(build(m))
}

// build makes both binaries as a release would be made, and runs the tests.
func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "berth-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "berth")
	for path, tags := range map[string]string{binary: "", binary + "-etcd": "etcd,grpcnotrace"} {
		cmd := exec.Command("go", "build", "-trimpath", "-tags="+tags, "-o", path, "github.com/berth-dev/berth/agent/cmd/berth")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build berth: %v\n%s", err, out)
			return 1
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil { // one test runs it as another user
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// patience is how long a condition may take on a busy machine; the shortest
// schedule is a minute.
const patience = 90 * time.Second

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}
