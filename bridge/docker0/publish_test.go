package docker0_test

import (
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/DataDog/datadog-go/v5/statsd"
	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/bridge/docker0"
)

// udp listens on a port of an address until the test ends.
func udp(t *testing.T, addr string) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	at := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return c, netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

func TestTheFileForApplicationsSaysWhereToSend(t *testing.T) {
	dir := t.TempDir()
	at := []netip.AddrPort{netip.MustParseAddrPort("169.254.231.1:8125"), netip.MustParseAddrPort("[fd00:17::1]:8125")}
	if err := docker0.Publish(dir, at); err != nil {
		t.Fatal(err)
	}
	want := "DD_AGENT_HOST=169.254.231.1\nDD_DOGSTATSD_PORT=8125\nDD_DOGSTATSD_URL=udp://169.254.231.1:8125\n" +
		"STATSD_HOST=169.254.231.1\nSTATSD_PORT=8125\nSTATSD_ADDR=169.254.231.1:8125\n"
	if diff := cmp.Diff(want, read(t, dir, docker0.EnvFile)); diff != "" {
		t.Error(diff)
	}
	var twin struct {
		Host, URL string
		Port      int
		Addresses []string
	}
	if err := json.Unmarshal([]byte(read(t, dir, docker0.JSONFile)), &twin); err != nil {
		t.Fatal(err)
	}
	if twin.Host != "169.254.231.1" || twin.Port != 8125 || twin.URL != "udp://169.254.231.1:8125" || len(twin.Addresses) != 2 || twin.Addresses[1] != "[fd00:17::1]:8125" {
		t.Errorf("the JSON file says %+v", twin)
	}
}

// Datadog's own client, told nothing but what the file says.
func TestDatadogsClientSendsWhereTheFileSays(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "::1"} {
		t.Run(addr, func(t *testing.T) {
			conn, at := udp(t, addr)
			dir := t.TempDir()
			if err := docker0.Publish(dir, []netip.AddrPort{at}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(read(t, dir, docker0.EnvFile)) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				t.Setenv(name, value)
			}
			client, err := statsd.New("", statsd.WithoutTelemetry())
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Incr("placed", nil, 1); err != nil {
				t.Fatal(err)
			}
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 2000)
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			n, err := conn.Read(b)
			if err != nil || !strings.HasPrefix(string(b[:n]), "placed:1|c") {
				t.Errorf("%s got %q, %v, want the client's line", at, b[:n], err)
			}
		})
	}
}

func TestTheFilesAreReadableByAllAndGoWhenNobodyListens(t *testing.T) {
	dir := t.TempDir()
	if err := docker0.Publish(dir, nil); err != nil {
		t.Errorf("withdraw what was never there: %v", err)
	}
	if err := docker0.Publish(dir, []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:8125")}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{docker0.EnvFile, docker0.JSONFile} {
		if i, err := os.Stat(filepath.Join(dir, name)); err != nil || i.Mode() != 0o644 {
			t.Errorf("%s: %v, %v, want mode 0644", name, i, err)
		}
	}
	if err := docker0.Publish(dir, nil); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v, want nothing", left, err)
	}
	if err := docker0.Publish(filepath.Join(dir, "none"), []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:8125")}); err == nil {
		t.Error("a folder that is not there is no error, want one")
	}
}

func TestAReaderNeverFindsHalfAFile(t *testing.T) {
	dir := t.TempDir()
	ports := []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:8125"), netip.MustParseAddrPort("169.254.231.1:18125")}
	var whole []string
	for _, p := range ports {
		if err := docker0.Publish(dir, []netip.AddrPort{p}); err != nil {
			t.Fatal(err)
		}
		whole = append(whole, read(t, dir, docker0.EnvFile))
	}
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range 100 {
			if err := docker0.Publish(dir, ports[i%2:i%2+1]); err != nil {
				t.Error(err)
			}
		}
	})
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	for {
		if got := read(t, dir, docker0.EnvFile); got != whole[0] && got != whole[1] {
			t.Fatalf("the file holds %q", got)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
