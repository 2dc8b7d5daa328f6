package docker_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/test/engine"
)

// A pull takes from the first byte of its first layer, not only its unpacking;
// one that brings nothing takes no time that anybody knows.
func TestAPullIsTimedFromItsFirstBlob(t *testing.T) {
	e := engine.Default(t)
	var info struct{ DockerRootDir string }
	if err := e.Do(http.MethodGet, "/info", nil, &info); err != nil {
		t.Fatal(err)
	}
	clock := &docker.PullClock{Log: slog.New(slog.DiscardHandler)}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- clock.Run(ctx) }()
	const delay = 300 * time.Millisecond
	name := engine.Registry(t, delay, engine.Content{Name: t.Name() + "a", Bytes: 1000}, engine.Content{Name: t.Name() + "b", Bytes: 1000})
	at := strings.LastIndexByte(name, ':')
	query := url.Values{"fromImage": {name[:at]}, "tag": {name[at+1:]}}.Encode()
	pull := func() {
		// Its answer is a stream of several values.
		if err := e.Do(http.MethodPost, "/images/create?"+query, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = e.Do(http.MethodDelete, "/images/"+name, nil, nil) })
	for clock.Took(time.Now()) == 0 { // until the clock runs, nothing is seen
		clock.Watch(info.DockerRootDir)
		_ = e.Do(http.MethodDelete, "/images/"+name, nil, nil)
		began := time.Now()
		pull()
		whole := time.Since(began)
		if took := clock.Took(time.Now()); took != 0 && (took < delay || took > whole+delay/3) {
			t.Errorf("the pull took %v, of which the layers at least %v; the clock says %v", whole, delay, took)
		} else if took != 0 {
			break
		}
	}
	pull() // nothing is missing
	if took := clock.Took(time.Now()); took != 0 {
		t.Errorf("a pull that brings nothing took %v", took)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
