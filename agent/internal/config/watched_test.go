package config_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/internal/config"
)

const patience = 20 * time.Second

// A watched is a Watcher that runs, and the calls it has made.
type watched struct {
	*testing.T
	path    string
	changed chan string // content at the time of the call
	stop    func()
}

// watch runs a Watcher of path, whose content it takes for the one in force.
func watch(t *testing.T, path string, change ...func(*config.Watcher)) *watched {
	t.Helper()
	w := &watched{T: t, path: path, changed: make(chan string, 100)}
	watcher := &config.Watcher{
		File: path, Log: slog.New(slog.DiscardHandler), Quiet: 30 * time.Millisecond, Poll: time.Hour,
		Changed: func() {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Errorf("called while the file cannot be read: %v", err)
			}
			w.changed <- string(text)
		},
	}
	if text, err := os.ReadFile(path); err == nil {
		watcher.Digest = sha256.Sum256(text)
	}
	for _, c := range change {
		c(watcher)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- watcher.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not return")
		}
	})
	t.Cleanup(w.stop)
	return w
}

// expect waits for a call and returns once the file has this content.
func (w *watched) expect(want string) {
	w.Helper()
	late := time.After(patience)
	for {
		select {
		case got := <-w.changed:
			if got == want {
				return
			}
		case <-late:
			w.Fatalf("no word of %q", want)
		}
	}
}

// expectNone fails if there is a call within a time in which one would come.
func (w *watched) expectNone() {
	w.Helper()
	select {
	case got := <-w.changed:
		w.Fatalf("called although nothing has changed: %q", got)
	case <-time.After(300 * time.Millisecond):
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settle waits until the watches are set, by a change that is seen.
func (w *watched) settle() {
	w.Helper()
	write(w.T, w.path, "settled")
	w.expect("settled")
}

// A lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
