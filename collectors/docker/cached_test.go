package docker_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/engine"
)

const record1 = "pkqxcgvpn9m2klhbo1hx4yxrw"

// D1: of all that the Engine's prune can do, one shape passes.
func TestThePruneOfTheBuildCacheNamesOneRecord(t *testing.T) {
	sink := record(t)
	c, err := docker.Dial(sink.socket)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Remover()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := c.API(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	remover, err := r.API(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sink.arrived()
	post := func(api *client.Client, path, query string, body io.Reader) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://docker"+path+"?"+query, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := api.HTTPClient().Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	good := `{"id":{"^` + record1 + `$":true},"until":{"72h0m0s":true}}`
	filter := func(text string) string { return url.Values{"filters": {text}}.Encode() }
	for _, path := range []string{"/build/prune", "/v1.41/build/prune"} {
		if err := post(remover, path, filter(good), nil); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if got := sink.arrived(); len(got) != 1 {
			t.Errorf("%s: %q arrived", path, got)
		}
	}
	refused(t, sink, "the reader", post(reader, "/build/prune", filter(good), nil))
	refused(t, sink, "a body", post(remover, "/build/prune", filter(good), strings.NewReader(good)))
	for _, path := range []string{"/build/prune/", "/images/prune", "/containers/prune", "/volumes/prune", "/x/build/prune", "/build"} {
		refused(t, sink, path, post(remover, path, filter(good), nil))
	}
	for _, query := range []string{
		"", "all=1", filter(good) + "&all=1", filter(good) + "&" + filter(good), filter(good) + ";all=1", filter(good) + "&keep-storage=0",
	} {
		refused(t, sink, query, post(remover, "/build/prune", query, nil))
	}
	for _, text := range []string{
		"", "{}", "null", "[]", `{"id":{},"until":{"1h":true}}`, `{"until":{"1h":true}}`, `{"id":{"^` + record1 + `$":true}}`,
		strings.Replace(good, record1, record1[:24], 1), strings.Replace(good, record1, record1+"a", 1),
		strings.Replace(good, record1, record1[:24]+".", 1), strings.Replace(good, record1, ".*", 1), strings.Replace(good, record1, record1[:24]+"A", 1),
		strings.Replace(good, "^", "", 1), strings.Replace(good, "$", "", 1), strings.Replace(good, record1, record1+"|.*", 1),
		strings.Replace(good, `$":true`, `$":false`, 1), strings.Replace(good, `$":true`, `$":true,"^`+strings.Repeat("a", 25)+`$":true`, 1),
		strings.Replace(good, "72h0m0s", "-1h", 1), strings.Replace(good, "72h0m0s", "0s", 1), strings.Replace(good, "72h0m0s", "soon", 1),
		strings.Replace(good, `{"id"`, `{"id":{".*":true},"id"`, 1), strings.Replace(good, `"id"`, `"ID"`, 1),
		good + "x", good[:len(good)-1] + `,"shared":{"1":true}}`, strings.Replace(good, "^"+record1+"$", "^"+record1+"$\n", 1),
		`{"id":["^` + record1 + `$"],"until":["72h"]}`,
	} {
		refused(t, sink, text, post(remover, "/build/prune", filter(text), nil))
	}
}

// A real build on a real Engine: what the prune with one ID takes, and what the
// Engine keeps by itself.
func TestOneRecordOfTheBuildCacheGoes(t *testing.T) {
	e := engine.Private(t)
	c, err := docker.Dial(e.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdle()
	r, err := c.Remover()
	if err != nil {
		t.Fatal(err)
	}
	defer r.CloseIdle()
	e.BuildKit(t, "cached:1", []byte("hello"), []byte("world"))
	before := cache(t, c)
	shared, parents := 0, 0
	for _, k := range before {
		if k.Shared {
			shared++
			if err := r.RemoveCached(t.Context(), k.ID, time.Nanosecond); err == nil {
				t.Errorf("record %q, which an image shares, is removed", k.Description)
			}
		}
		if k.Size <= 0 || time.Since(k.Used) > time.Minute || k.InUse {
			t.Errorf("the record is %+v", k)
		}
	}
	if shared != 2 || len(before) < 4 {
		t.Fatalf("%d of %d records are shared, want the two steps of the image and two more: %+v", shared, len(before), before)
	}
	if err := e.Do(http.MethodDelete, "/images/cached:1", nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, k := range cache(t, c) {
		for _, parent := range k.Parents {
			parents++
			if err := r.RemoveCached(t.Context(), parent, time.Nanosecond); err == nil {
				t.Errorf("record %s, which another is built on, is removed", parent)
			}
			if err := r.RemoveCached(t.Context(), k.ID, time.Hour); err == nil {
				t.Errorf("record %q, used a moment ago, is removed", k.Description)
			}
			if err := r.RemoveCached(t.Context(), k.ID, time.Nanosecond); err != nil {
				t.Error(err)
			}
			if err := r.RemoveCached(t.Context(), parent, time.Nanosecond); err != nil {
				t.Error(err)
			}
		}
	}
	if parents != 1 {
		t.Errorf("%d records have a parent, want 1", parents)
	}
	if after := cache(t, c); len(after) != len(before)-2 {
		t.Errorf("%d of %d records are left, want two less", len(after), len(before))
	}
}

func cache(t *testing.T, c *docker.Client) []inventory.Cached {
	t.Helper()
	s, err := c.Store(t.Context(), inventory.Wanted{Cached: true})
	if err != nil || s.Unread != "" {
		t.Fatal(err, s.Unread)
	}
	return s.Cached
}
