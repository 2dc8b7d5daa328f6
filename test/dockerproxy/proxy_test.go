package dockerproxy_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/dockerproxy"
	"github.com/berth-dev/berth/test/engine"
)

// get asks the proxy over a connection of its own.
func get(ctx context.Context, p *dockerproxy.Proxy, path string) (*http.Response, error) {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", p.Socket())
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker"+path, nil)
	if err != nil {
		return nil, err
	}
	return transport.RoundTrip(req)
}

// read returns status and body.
func read(t *testing.T, p *dockerproxy.Proxy, path string) (int, string, error) {
	t.Helper()
	resp, err := get(t.Context(), p, path)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func TestProxyIsTransparentUntilTold(t *testing.T) {
	e := engine.Default(t)
	id := e.Create(t, engine.Options{})
	p := dockerproxy.New(t, e.Socket())
	list := "/v1.41/containers/json?all=1"
	if status, body, err := read(t, p, list); status != 200 || err != nil || !strings.Contains(body, string(id)) {
		t.Errorf("status %d, error %v, without %s: %s", status, err, id.Short(), body)
	}
	want := dockerproxy.Request{Method: "GET", Path: "/containers/json", Query: "all=1"}
	if got := p.Requests(); !slices.Equal(got, []dockerproxy.Request{want}) {
		t.Errorf("requests %v, want %v", got, want)
	}

	p.Set(dockerproxy.Faults{DropFromList: []inventory.ID{id}})
	if _, body, err := read(t, p, list); err != nil || strings.Contains(body, string(id)) {
		t.Errorf("error %v, or the dropped container is listed: %s", err, body)
	}
	p.Set(dockerproxy.Faults{EmptyList: true})
	if _, body, err := read(t, p, list); err != nil || strings.TrimSpace(body) != "[]" {
		t.Errorf("error %v, list %q, want an empty one", err, body)
	}
	p.Set(dockerproxy.Faults{OtherRoot: "/elsewhere"})
	_, body, err := read(t, p, "/info")
	var info struct{ DockerRootDir, ID string }
	if err := errors.Join(err, json.Unmarshal([]byte(body), &info)); err != nil || info.DockerRootDir != "/elsewhere" || info.ID == "" {
		t.Errorf("error %v, info %+v", err, info)
	}
	p.Set(dockerproxy.Faults{Status: 500})
	if status, _, err := read(t, p, list); status != 500 || err != nil {
		t.Errorf("status %d, error %v, want 500", status, err)
	}
	p.Set(dockerproxy.Faults{HalfBody: true})
	if _, body, err := read(t, p, list); !errors.Is(err, io.ErrUnexpectedEOF) || body == "" {
		t.Errorf("error %v after %d bytes, want an unexpected end", err, len(body))
	}
	p.Set(dockerproxy.Faults{})
	if status, _, err := read(t, p, list); status != 200 || err != nil {
		t.Errorf("status %d, error %v once it is over", status, err)
	}
}

func TestProxyRefuses(t *testing.T) {
	p := dockerproxy.New(t, engine.Default(t).Socket())
	p.Set(dockerproxy.Faults{Refuse: true})
	if _, _, err := read(t, p, "/_ping"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v, want connection refused", err)
	}
	p.Set(dockerproxy.Faults{})
	if _, body, err := read(t, p, "/_ping"); err != nil || body != "OK" {
		t.Errorf("%q, error %v once it is over", body, err)
	}
}

func TestProxyHangsUntilToldNotTo(t *testing.T) {
	p := dockerproxy.New(t, engine.Default(t).Socket())
	p.Set(dockerproxy.Faults{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := get(ctx, p, "/_ping"); !errors.Is(err, context.DeadlineExceeded) { //nolint:bodyclose // there is no answer
		t.Errorf("error %v, want the deadline", err)
	}
	p.Set(dockerproxy.Faults{HangPath: "/info"})
	if _, body, err := read(t, p, "/_ping"); err != nil || body != "OK" {
		t.Errorf("%q, error %v where nothing hangs", body, err)
	}
	answered := make(chan error, 1)
	go func() {
		_, _, err := read(t, p, "/info")
		answered <- err
	}()
	for p.Count("/info") == 0 {
		<-time.After(time.Millisecond)
	}
	p.Set(dockerproxy.Faults{})
	if err := <-answered; err != nil {
		t.Errorf("a request that hung: %v", err)
	}
}

func TestProxyHandsEventsOnAndCutsThem(t *testing.T) {
	e := engine.Default(t)
	p := dockerproxy.New(t, e.Socket())
	resp, err := get(t.Context(), p, "/events?filters="+`%7B%22label%22%3A%5B%22`+engine.Label+`%3D`+e.RunLabel()+`%22%5D%7D`)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	id := e.Create(t, engine.Options{})
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || !strings.Contains(lines.Text(), string(id)) {
		t.Fatalf("first event %q, error %v", lines.Text(), lines.Err())
	}
	p.CutEvents()
	for lines.Scan() {
	}
	if !errors.Is(lines.Err(), io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want an unexpected end", lines.Err())
	}
}
