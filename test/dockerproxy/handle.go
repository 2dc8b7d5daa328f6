package dockerproxy

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
)

// handle forwards one request and spoils its answer.
func (p *Proxy) handle(w http.ResponseWriter, r *http.Request) {
	path, f, changed, cut := p.note(r)
	for f.Hang || f.HangPath == path {
		select {
		case <-r.Context().Done():
			return
		case <-changed:
			f, changed = p.now()
		}
	}
	if path == "/containers/json" && f.SlowList > 0 {
		<-time.After(f.SlowList)
	}
	if f.Status != 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		fmt.Fprintf(w, `{"message":"status %d by order of the test"}`, f.Status)
		return
	}
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", "docker", ""
	resp, err := p.upstream.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler) // as if the Engine itself had cut the connection
	}
	defer resp.Body.Close()
	maps.Copy(w.Header(), resp.Header)
	if path == "/events" {
		stream(w, resp, r, cut)
		return
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	body = spoil(path, body, f)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(resp.StatusCode)
	if f.HalfBody {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

// stream hands the event stream on as it comes, until one side or the test
// ends it.
func stream(w http.ResponseWriter, resp *http.Response, r *http.Request, cut <-chan struct{}) {
	w.WriteHeader(resp.StatusCode)
	flush := http.NewResponseController(w).Flush
	_ = flush()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 32<<10)
		for {
			n, err := resp.Body.Read(buf)
			_, writeErr := w.Write(buf[:n])
			if flushErr := flush(); err != nil || writeErr != nil || flushErr != nil {
				return
			}
		}
	}()
	select {
	case <-done:
	case <-r.Context().Done():
	case <-cut:
	}
	resp.Body.Close()
	<-done
	panic(http.ErrAbortHandler)
}

// spoil changes the answers that a fault is about. Fields it does not know
// pass through untouched.
func spoil(path string, body []byte, f Faults) []byte {
	switch {
	case path == "/containers/json" && f.EmptyList:
		return []byte("[]\n")
	case path == "/containers/json" && len(f.DropFromList) > 0:
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil {
			return body
		}
		return marshal(slices.DeleteFunc(list, func(raw json.RawMessage) bool {
			var c struct{ ID inventory.ID }
			return json.Unmarshal(raw, &c) == nil && slices.Contains(f.DropFromList, c.ID)
		}), body)
	case path == "/info" && f.OtherRoot != "":
		var info map[string]json.RawMessage
		if json.Unmarshal(body, &info) != nil {
			return body
		}
		info["DockerRootDir"] = marshal(f.OtherRoot, nil)
		return marshal(info, body)
	}
	return body
}

// marshal returns v as JSON, or otherwise what it is given.
func marshal(v any, otherwise []byte) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return otherwise
	}
	return b
}
