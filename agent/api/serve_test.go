package api_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
)

// patience bounds how long a test waits for what must come.
const patience = 10 * time.Second

// A rig is a server on a real socket.
type rig struct {
	*api.Client
	socket  string
	backend *literal
	log     *record
	stop    func() // ends the server and waits for it; may be called twice
}

// record is a log that may be read while it is written.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// serve starts a server; prepare may change it first.
func serve(t *testing.T, prepare ...func(*api.Server)) *rig {
	t.Helper()
	home, err := os.MkdirTemp("", "api") // t.TempDir is too long a path for a socket at times
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	r := &rig{
		socket:  filepath.Join(home, "run", "b.sock"),
		backend: &literal{feed: &api.Feed{}, blocked: make(chan struct{}, 1)},
		log:     &record{},
	}
	r.Client = api.NewClient(r.socket, patience)
	listener, err := api.Listen(api.ListenOptions{Path: r.socket})
	if err != nil {
		t.Fatal(err)
	}
	server := &api.Server{Backend: r.backend, Version: api.Version{Version: "1.2.3"}, Log: slog.New(slog.NewTextHandler(r.log, nil))}
	for _, change := range prepare {
		change(server)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("serve: %v", err)
			}
		case <-time.After(patience):
			t.Error("the server did not end")
		}
	})
	t.Cleanup(r.stop)
	return r
}

// raw makes one request and returns the status and the body.
func (r *rig) raw(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", r.socket)
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: patience}
	request, err := http.NewRequestWithContext(t.Context(), method, "http://berth"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
