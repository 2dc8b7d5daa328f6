package agent

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// A daemon that does not answer itself must not pet the watchdog, and pets it
// again once it does.
func TestTheWatchdogIsOnlyToldByADaemonThatAnswers(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "100000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))

	var hangs atomic.Bool
	var asked atomic.Int64
	n := &notifier{log: slog.New(slog.DiscardHandler), live: func(ctx context.Context) error {
		asked.Add(1)
		if hangs.Load() {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- n.Run(ctx) }()

	heard := func(within time.Duration) bool {
		if err := systemd.SetReadDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 64)
		size, err := systemd.Read(buf)
		return err == nil && string(buf[:size]) == "WATCHDOG=1"
	}
	if !heard(5 * time.Second) {
		t.Error("a daemon that answers did not tell")
	}
	hangs.Store(true)
	before := asked.Load()
	for asked.Load() < before+2 || heard(time.Millisecond) { // what was on its way
		heard(20 * time.Millisecond)
	}
	before = asked.Load()
	if heard(300*time.Millisecond) || asked.Load() == before {
		t.Error("a daemon that hangs told, or was not asked again")
	}
	hangs.Store(false)
	if !heard(5 * time.Second) {
		t.Error("a daemon that answers again did not tell")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
