package engine

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// Label is on every object that a test makes; its value is the run's.
const Label = "berth.test"

// callTimeout bounds every call that does not build or import anything.
const callTimeout = 60 * time.Second

// An Engine is a Docker Engine that answers on a unix socket.
type Engine struct {
	socket string
	run    string
	http   *http.Client
	own    bool // goes as a whole with the test: no need to remove its containers
}

// Default returns the machine's own Engine. The test fails by name where there
// is none: a test that needs Docker and passes without it proves nothing.
func Default(t testing.TB) *Engine {
	t.Helper()
	e := At(t, "/var/run/docker.sock")
	if err := e.Do(http.MethodGet, "/_ping", nil, nil); err != nil {
		t.Fatalf("docker: %v: start the Engine, or run make setup", err)
	}
	return e
}

// At returns the Engine behind a socket without asking it anything.
func At(t testing.TB, socket string) *Engine {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	transport := &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 8}
	t.Cleanup(transport.CloseIdleConnections)
	return &Engine{socket: socket, run: rand.Text()[:12], http: &http.Client{Transport: transport}}
}

// Socket is the path of the Engine's socket.
func (e *Engine) Socket() string { return e.socket }

// RunLabel is the value of [Label] on what this Engine value makes.
func (e *Engine) RunLabel() string { return e.run }

// A StatusError is an answer of the Engine that is not a success.
type StatusError struct {
	Code    int
	Message string
}

func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Code, e.Message) }

// Do makes one call. A body in is sent as JSON, or as it is if it is an
// [io.Reader]; the answer is decoded into out unless that is nil.
func (e *Engine) Do(method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	body, isReader := in.(io.Reader)
	if in != nil && !isReader {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://docker"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if isReader {
		req.Header.Set("Content-Type", "application/x-tar")
	}
	resp, err := e.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode/100 != 2 && resp.StatusCode != http.StatusNotModified {
		return fmt.Errorf("%s %s: %w", method, path,
			&StatusError{resp.StatusCode, strings.TrimSpace(string(answer))})
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// Try does verb (start, stop, kill, pause, unpause, restart, remove) to a
// container. Verbs that wait for a process give it no time before SIGKILL.
func (e *Engine) Try(verb string, id inventory.ID) error {
	path := "/containers/" + string(id)
	switch verb {
	case "remove":
		return e.Do(http.MethodDelete, path+"?force=1&v=1", nil, nil)
	case "stop", "restart":
		return e.Do(http.MethodPost, path+"/"+verb+"?t=0", nil, nil)
	default:
		return e.Do(http.MethodPost, path+"/"+verb, nil, nil)
	}
}

// TryCreate creates a container and returns its ID. Its image must be named.
// Whoever calls it removes the container.
func (e *Engine) TryCreate(o Options) (inventory.ID, error) {
	body, err := o.body(e.run)
	if err != nil {
		return "", err
	}
	var created struct{ ID inventory.ID }
	err = e.Do(http.MethodPost, "/containers/create?name="+url.QueryEscape(o.Name), body, &created)
	return created.ID, err
}

// Create creates a container, of the workload if no image is named, and
// removes it when the test ends.
func (e *Engine) Create(t testing.TB, o Options) inventory.ID {
	t.Helper()
	o.Image = cmp.Or(o.Image, e.Image(t))
	id, err := e.TryCreate(o)
	if err != nil {
		t.Fatal(err)
	}
	if e.own {
		return id
	}
	t.Cleanup(func() {
		var status *StatusError
		err := e.Try("remove", id)
		if errors.As(err, &status) && status.Code != http.StatusNotFound && status.Code != http.StatusConflict {
			t.Errorf("remove what the test made: %v", err)
		}
	})
	return id
}

// Run creates a container and starts it.
func (e *Engine) Run(t testing.TB, o Options) inventory.ID {
	t.Helper()
	id := e.Create(t, o)
	e.Start(t, id)
	return id
}

// Start starts a container.
func (e *Engine) Start(t testing.TB, id inventory.ID) { t.Helper(); e.must(t, "start", id) }

// Stop ends a container's process as docker stop -t 0 does.
func (e *Engine) Stop(t testing.TB, id inventory.ID) { t.Helper(); e.must(t, "stop", id) }

// Kill sends SIGKILL to a container's process.
func (e *Engine) Kill(t testing.TB, id inventory.ID) { t.Helper(); e.must(t, "kill", id) }

// Pause freezes a container.
func (e *Engine) Pause(t testing.TB, id inventory.ID) { t.Helper(); e.must(t, "pause", id) }

// Unpause thaws a container.
func (e *Engine) Unpause(t testing.TB, id inventory.ID) { t.Helper(); e.must(t, "unpause", id) }

// Restart stops a container and starts it again.
func (e *Engine) Restart(t testing.TB, id inventory.ID) { t.Helper(); e.must(t, "restart", id) }

// Remove removes a container, running or not, and its anonymous volumes.
func (e *Engine) Remove(t testing.TB, id inventory.ID) { t.Helper(); e.must(t, "remove", id) }

// Rename gives a container another name.
func (e *Engine) Rename(t testing.TB, id inventory.ID, name string) {
	t.Helper()
	if err := e.Do(http.MethodPost, "/containers/"+string(id)+"/rename?name="+url.QueryEscape(name), nil, nil); err != nil {
		t.Fatal(err)
	}
}

func (e *Engine) must(t testing.TB, verb string, id inventory.ID) {
	t.Helper()
	if err := e.Try(verb, id); err != nil {
		t.Fatal(err)
	}
}
