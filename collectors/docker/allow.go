package docker

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Calls is everything that Berth may ask a Docker Engine. {id} stands for the
// whole ID of a container or an image, and an API version may come first.
func Calls() []string {
	return append(pings(),
		"GET /version",
		"GET /info",
		"GET /events",
		"GET /containers/json",
		"GET /containers/{id}/json",
		"GET /images/json",
		"GET /images/{id}/json",
		"GET /images/{id}/history",
		"GET /volumes",
		"GET /system/df",
	)
}

// Removals is everything that a [Remover] may do beside asking who is there.
// {name} stands for one name of an image or a volume. None of them may be told
// to use force, or to take away more than it names; the prune of the build cache
// passes only with the whole ID of one record: see onlyOne.
func Removals() []string {
	return append(pings(),
		"POST /images/{id}/tag",
		"DELETE /images/{name}",
		"DELETE /containers/{id}",
		"DELETE /volumes/{name}",
		"POST /build/prune",
	)
}

func pings() []string { return []string{"HEAD /_ping", "GET /_ping"} }

// A ForbiddenCall is the error of a request that is not one of [Calls].
// Nothing of it has left the process.
type ForbiddenCall struct {
	Method string
	Path   string
}

func (e *ForbiddenCall) Error() string {
	return fmt.Sprintf("docker call %s %q is not one that Berth makes", e.Method, e.Path)
}

// allowList is the only way from Docker's client to the Engine (D1).
type allowList struct {
	calls []string
	next  http.RoundTripper
}

// RoundTrip passes a request on if it is on the list, and leaves what came of
// it in the trip that the request's context may carry.
func (a *allowList) RoundTrip(r *http.Request) (*http.Response, error) {
	seen, _ := r.Context().Value(tripKey{}).(*trip)
	if seen == nil {
		seen = new(trip)
	}
	if !a.allows(r) {
		seen.err = &ForbiddenCall{Method: r.Method, Path: r.URL.EscapedPath()}
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, seen.err
	}
	resp, err := a.next.RoundTrip(r)
	*seen = trip{method: r.Method, err: err}
	if err != nil {
		return nil, err
	}
	seen.status = resp.StatusCode
	resp.Body = &body{resp.Body, seen}
	return resp, nil
}

var (
	versionPrefix = regexp.MustCompile(`^/v[0-9]+\.[0-9]+(/.*)$`)
	subject       = regexp.MustCompile(`^/(containers|images)/(sha256:)?([0-9a-f]{64})(/json|/history|/tag)?$`)
	named         = regexp.MustCompile(`^/(images|volumes)/[A-Za-z0-9][A-Za-z0-9._:@/-]*$`)
)

// allows reports whether a request is on the list. It compares the path whole
// and refuses any other spelling of it (RawPath, Opaque), so what is compared is
// what would be sent.
func (a *allowList) allows(r *http.Request) bool {
	if r.URL.RawPath != "" || r.URL.Opaque != "" || (r.Body != nil && r.Body != http.NoBody) {
		return false
	}
	path := r.URL.Path
	if m := versionPrefix.FindStringSubmatch(path); m != nil {
		path = m[1]
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !gentle(r) {
		return false
	}
	if m := subject.FindStringSubmatch(path); m != nil && (m[2] == "") == (m[1] == "containers") {
		if pattern := "/" + m[1] + "/{id}" + m[4]; slices.Contains(a.calls, r.Method+" "+pattern) {
			return true
		}
	}
	if m := named.FindStringSubmatch(path); m != nil && r.Method == http.MethodDelete &&
		!strings.Contains(path, "//") && !strings.Contains(path, "..") && (m[1] == "images" || strings.Count(path, "/") == 2) {
		path = "/" + m[1] + "/{name}"
	}
	return slices.Contains(a.calls, r.Method+" "+path)
}

// gentle reports whether a request that changes something says no more than
// what it is about: above all nothing of force.
func gentle(r *http.Request) bool {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/build/prune") {
		return !strings.Contains(r.URL.RawQuery, ";") && onlyOne(r.URL.Query())
	}
	for key := range r.URL.Query() {
		if r.Method != http.MethodPost || key != "repo" && key != "tag" {
			return false
		}
	}
	return !strings.Contains(r.URL.RawQuery, ";")
}

// A trip is what the transport saw of a call. Docker's client replaces some
// causes by advice to a person at a terminal; this keeps them.
type trip struct {
	method string
	status int // 0: no answer
	err    error
}

type tripKey struct{}

// A body notes in a trip why it could not be read to its end.
type body struct {
	io.ReadCloser
	seen *trip
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.seen.err = err
	}
	return n, err
}
