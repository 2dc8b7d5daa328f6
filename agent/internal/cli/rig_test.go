package cli_test

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/agent/internal/cli"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// patience bounds how long a test waits for what must come.
const patience = 10 * time.Second

// A rig is a daemon's socket with a sample behind it.
type rig struct {
	*sample
	socket string
}

// serve starts a server; prepare may change it first.
func serve(t testing.TB, prepare ...func(*api.Server)) *rig {
	t.Helper()
	home, err := os.MkdirTemp("", "cli") // t.TempDir is too long a path for a socket at times
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	r := &rig{newSample(), filepath.Join(home, "b.sock")}
	listener, err := api.Listen(api.ListenOptions{Path: r.socket})
	if err != nil {
		t.Fatal(err)
	}
	server := &api.Server{Backend: r.sample, Log: slog.New(slog.DiscardHandler), Version: api.Version{Version: "0.4.1", API: "v1"}}
	for _, change := range prepare {
		change(server)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return r
}

// A result is what a command said and how it ended.
type result struct {
	stdout, stderr string
	code           int
}

// A look is where a command prints to.
type look func(*cli.Env)

func screen(width int) look {
	return func(e *cli.Env) { e.Screen, e.Width = true, func() int { return width } }
}

func environ(entries ...string) look {
	return func(e *cli.Env) { e.Environ = append(e.Environ, entries...) }
}

// berth runs one command line.
func berth(t testing.TB, args []string, looks ...look) result {
	t.Helper()
	var stdout, stderr buffer
	env := cli.Env{Stdout: &stdout, Stderr: &stderr, Now: func() time.Time { return noon }}
	for _, l := range looks {
		l(&env)
	}
	code := cli.Main(t.Context(), args, env)
	return result{stdout.String(), stderr.String(), code}
}

// berth asks the rig; the socket's path is replaced by the usual one.
func (r *rig) berth(t testing.TB, line string, looks ...look) result {
	t.Helper()
	out := berth(t, append([]string{"--socket", r.socket}, strings.Fields(line)...), looks...)
	for _, s := range []*string{&out.stdout, &out.stderr} {
		*s = strings.ReplaceAll(*s, r.socket, "/run/berth/berth.sock")
	}
	return out
}

// ended fails the test unless the command ended with this code.
func (r result) ended(t testing.TB, code int) result {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.stdout, r.stderr)
	}
	return r
}

// says fails the test unless the standard error holds all of these.
func (r result) says(t testing.TB, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(r.stderr, part) {
			t.Errorf("the error does not say %q:\n%s", part, r.stderr)
		}
	}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// A buffer may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}
