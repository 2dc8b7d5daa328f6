package storeserver

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/test/tcpproxy"
)

// A Build is which etcd.
type Build string

// The builds.
const (
	Debian  Build = "debian"  // the distribution's, as on hosts that are not new
	Current Build = "current" // of test/etcdserver
)

// Etcd starts an etcd of one member. Extra flags are etcd's; with those of TLS
// it listens on https.
func Etcd(t testing.TB, build Build, flags ...string) *Server {
	t.Helper()
	program, scheme := "etcd", "http"
	if build == Current {
		program = current(t)
	}
	if strings.Contains(strings.Join(flags, " "), "cert-file") {
		scheme = "https"
	}
	peer := tcpproxy.Reserve(t)
	argv := func(addr, data string) []string {
		argv := []string{
			program, "--data-dir", data, "--listen-client-urls", scheme + "://" + addr, "--listen-peer-urls", "http://" + peer,
		}
		if build == Debian {
			argv = append(argv, "--advertise-client-urls", scheme+"://"+addr, "--initial-advertise-peer-urls", "http://"+peer,
				"--initial-cluster", "default=http://"+peer)
		}
		return append(argv, flags...)
	}
	if scheme == "https" {
		return start(t, argv, accepts)
	}
	return start(t, argv, healthy, "ETCD_UNSUPPORTED_ARCH="+runtime.GOARCH)
}

// healthy reports whether an etcd has a leader.
func healthy(addr string) error {
	client := http.Client{Timeout: time.Second}
	answer, err := client.Get("http://" + addr + "/health")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && !strings.Contains(string(text), "true") {
		err = fmt.Errorf("etcd answers %s", text)
	}
	return err
}

// current builds the etcd of test/etcdserver, where it is not built yet. The
// first build of a machine takes minutes.
func current(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func build() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/berth-dev/berth").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	path := filepath.Join(cache, "berth-test", "etcdserver")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Dir = filepath.Join(strings.TrimSpace(string(root)), "test", "etcdserver")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build etcdserver: %w\n%s", err, said)
	}
	return path, nil
}
