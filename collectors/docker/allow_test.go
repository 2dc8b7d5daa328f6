package docker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/berth-dev/berth/collectors/docker"
)

var id = strings.Repeat("0123456789abcdef", 4)

// recorder is a socket that answers like an Engine's /_ping and keeps every
// byte that arrives, whatever it is.
type recorder struct {
	socket string
	mu     sync.Mutex
	got    []string // first lines of requests
}

func record(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{socket: filepath.Join(t.TempDir(), "s")}
	l, err := net.Listen("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.got = append(r.got, req.Method+" "+req.RequestURI)
		r.mu.Unlock()
		w.Header().Set("Api-Version", "1.41")
		w.WriteHeader(http.StatusOK)
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() { s.Close(); serving.Wait() })
	return r
}

// arrived returns the requests since the last call.
func (r *recorder) arrived() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// D1: the table, and every trick to get past it.
func TestOnlyListedCallsLeaveTheProcess(t *testing.T) {
	sink := record(t)
	c, err := docker.Dial(sink.socket)
	if err != nil {
		t.Fatal(err)
	}
	api, err := c.API(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sink.arrived()
	do := func(method string, u *url.URL, body io.Reader) error {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://docker/", body)
		if err != nil {
			t.Fatal(err)
		}
		req.URL = u
		u.Scheme, u.Host = "http", "docker"
		resp, err := api.HTTPClient().Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}

	for _, call := range docker.Calls() {
		method, path, _ := strings.Cut(call, " ")
		path = strings.ReplaceAll(path, "/images/{id}", "/images/sha256:"+id)
		path = strings.ReplaceAll(path, "{id}", id)
		for _, prefix := range []string{"", "/v1.41", "/v1.24"} {
			if err := do(method, &url.URL{Path: prefix + path, RawQuery: "all=1"}, nil); err != nil {
				t.Errorf("%s %s: %v", method, prefix+path, err)
			}
			if got := sink.arrived(); len(got) != 1 {
				t.Errorf("%s %s: %d requests arrived, want 1", method, prefix+path, len(got))
			}
		}
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "get", "TRACE"} {
			refused(t, sink, method+" "+path, do(method, &url.URL{Path: path}, nil))
		}
	}
	refused(t, sink, "HEAD /info", do("HEAD", &url.URL{Path: "/info"}, nil))
	refused(t, sink, "a body", do("GET", &url.URL{Path: "/info"}, strings.NewReader("x")))
	for _, path := range []string{
		"", "/", "//info", "/info/", "/INFO", "/x/../info", "/./info", "/v1.41", "/v1.41/", "/v1/info", "/v1.41/v1.41/info", "v1.41/info",
		"/containers/" + id, "/containers/" + id + "/json/", "/containers/" + id[:12] + "/json", "/containers/orders/json",
		"/containers/" + strings.ToUpper(id) + "/json", "/containers/" + id + "/../prune/json", "/containers//json",
		"/containers/" + id + "/logs", "/containers/" + id + "/export", "/containers/" + id + "/archive", "/containers/" + id + "/attach/ws",
		"/images/" + id + "/json", "/images/orders/json", "/images/sha256:" + id + "/get", "/images/get", "/images/search", "/volumes/x",
		"/containers/sha256:" + id + "/json", "/containers/" + id + "/history", "/images/sha256:" + id + "/tag", "/images/sha256:" + id,
		"/system/df/x", "/build/prune", "/exec/" + id + "/json", "/secrets", "/swarm", "/networks",
	} {
		refused(t, sink, "GET "+path, do("GET", &url.URL{Path: path}, nil))
	}
	for _, u := range []url.URL{
		{Path: "/containers/json", RawPath: "/containers%2Fjson"},
		{Path: "/info", RawPath: "/%69nfo"},
		{Path: "/info", Opaque: "/containers/prune"},
		{Path: "/info\r\nX: y"},
	} {
		refused(t, sink, u.String(), do("GET", &u, nil))
	}
}

// refused checks that a call failed as forbidden and that nothing arrived.
func refused(t *testing.T, sink *recorder, what string, err error) {
	t.Helper()
	if _, ok := errors.AsType[*docker.ForbiddenCall](err); !ok {
		t.Errorf("%s: error %v, want a ForbiddenCall", what, err)
	}
	if got := sink.arrived(); len(got) > 0 {
		t.Errorf("%s: %q arrived", what, got)
	}
}

// D1: with Docker's own client, as the product holds it.
func TestDockersOwnClientCanChangeNothing(t *testing.T) {
	sink := record(t)
	c, err := docker.Dial(sink.socket)
	if err != nil {
		t.Fatal(err)
	}
	api, err := c.API(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sink.arrived(), []string{"HEAD /_ping"}; !slices.Equal(got, want) {
		t.Errorf("%q arrived before, want %q", got, want)
	}
	for name, try := range attempts(api) {
		if err := try(t.Context()); err == nil {
			t.Errorf("%s succeeded", name)
		}
		if got := sink.arrived(); len(got) > 0 {
			t.Errorf("%s: %q arrived", name, got)
		}
	}
}

// attempts are calls that change something, or read what is nobody's business;
// those that take over the connection dial on their own.
func attempts(api *client.Client) map[string]func(context.Context) error {
	none := filters.NewArgs()
	return map[string]func(context.Context) error{
		"container create": func(ctx context.Context) error {
			_, err := api.ContainerCreate(ctx, &container.Config{}, nil, nil, nil, "x")
			return err
		},
		"container remove": func(ctx context.Context) error {
			return api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true})
		},
		"container start":   func(ctx context.Context) error { return api.ContainerStart(ctx, id, container.StartOptions{}) },
		"container stop":    func(ctx context.Context) error { return api.ContainerStop(ctx, id, container.StopOptions{}) },
		"container kill":    func(ctx context.Context) error { return api.ContainerKill(ctx, id, "KILL") },
		"container pause":   func(ctx context.Context) error { return api.ContainerPause(ctx, id) },
		"container restart": func(ctx context.Context) error { return api.ContainerRestart(ctx, id, container.StopOptions{}) },
		"container rename":  func(ctx context.Context) error { return api.ContainerRename(ctx, id, "x") },
		"container update": func(ctx context.Context) error {
			_, err := api.ContainerUpdate(ctx, id, container.UpdateConfig{})
			return err
		},
		"container prune": func(ctx context.Context) error { _, err := api.ContainersPrune(ctx, none); return err },
		"container attach": func(ctx context.Context) error {
			_, err := api.ContainerAttach(ctx, id, container.AttachOptions{Stream: true})
			return err
		},
		"container logs": func(ctx context.Context) error {
			_, err := api.ContainerLogs(ctx, id, container.LogsOptions{})
			return err
		},
		"copy to container": func(ctx context.Context) error {
			return api.CopyToContainer(ctx, id, "/", strings.NewReader(""), container.CopyToContainerOptions{})
		},
		"copy from container": func(ctx context.Context) error { _, _, err := api.CopyFromContainer(ctx, id, "/"); return err },
		"exec create": func(ctx context.Context) error {
			_, err := api.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: []string{"sh"}})
			return err
		},
		"exec start": func(ctx context.Context) error {
			return api.ContainerExecStart(ctx, id, container.ExecStartOptions{Detach: true})
		},
		"exec attach": func(ctx context.Context) error {
			_, err := api.ContainerExecAttach(ctx, id, container.ExecAttachOptions{})
			return err
		},
		"hijack": func(ctx context.Context) error { _, err := api.DialHijack(ctx, "/session", "h2c", nil); return err },
		"dial":   func(ctx context.Context) error { _, err := api.Dialer()(ctx); return err },
		"image remove": func(ctx context.Context) error {
			_, err := api.ImageRemove(ctx, "x", image.RemoveOptions{Force: true})
			return err
		},
		"image prune": func(ctx context.Context) error { _, err := api.ImagesPrune(ctx, none); return err },
		"image pull":  func(ctx context.Context) error { _, err := api.ImagePull(ctx, "x", image.PullOptions{}); return err },
		"image tag":   func(ctx context.Context) error { return api.ImageTag(ctx, "x", "y") },
		"image build": func(ctx context.Context) error {
			_, err := api.ImageBuild(ctx, strings.NewReader(""), build.ImageBuildOptions{})
			return err
		},
		"volume create": func(ctx context.Context) error { _, err := api.VolumeCreate(ctx, volume.CreateOptions{}); return err },
		"volume remove": func(ctx context.Context) error { return api.VolumeRemove(ctx, "x", true) },
		"volume prune":  func(ctx context.Context) error { _, err := api.VolumesPrune(ctx, none); return err },
		"network create": func(ctx context.Context) error {
			_, err := api.NetworkCreate(ctx, "x", network.CreateOptions{})
			return err
		},
		"network remove": func(ctx context.Context) error { return api.NetworkRemove(ctx, "x") },
		"network prune":  func(ctx context.Context) error { _, err := api.NetworksPrune(ctx, none); return err },
		"cache prune": func(ctx context.Context) error {
			_, err := api.BuildCachePrune(ctx, build.CachePruneOptions{All: true})
			return err
		},
		"swarm leave": func(ctx context.Context) error { return api.SwarmLeave(ctx, true) },
	}
}
