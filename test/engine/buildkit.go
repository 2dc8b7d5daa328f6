package engine

import (
	"archive/tar"
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// BuildKit builds an image from nothing, with one step for each file, so that
// the Engine has a build cache. The context is the call's body: that takes no
// session with a client that holds the files.
func (e *Engine) BuildKit(t testing.TB, name string, files ...[]byte) {
	t.Helper()
	var context bytes.Buffer
	w := tar.NewWriter(&context)
	dockerfile := []byte("FROM scratch\n")
	for n := range files {
		dockerfile = fmt.Appendf(dockerfile, "COPY %d /%d\n", n, n)
	}
	add := func(name string, content []byte) {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("Dockerfile", dockerfile)
	for n, content := range files {
		add(fmt.Sprint(n), content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	query := url.Values{"version": {"2"}, "t": {name}, "labels": {fmt.Sprintf("{%q:%q}", Label, e.run)}}
	if err := e.Do(http.MethodPost, "/build?"+query.Encode(), &context, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Do(http.MethodGet, "/images/"+name+"/json", nil, nil); err != nil {
		t.Fatal(err) // a build that fails ends with status 200
	}
}
