package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/test/dogstatsd"
	"github.com/berth-dev/berth/test/engine"
)

// smallNetwork makes a Docker network in which addresses are used again at
// once, and removes it when the test ends.
func smallNetwork(t *testing.T, e *engine.Engine) string {
	t.Helper()
	var made struct{ ID string }
	for third := range 64 { // some of them may be another test's, or the host's
		body := map[string]any{
			"Name": "berth-test-" + e.RunLabel() + "-" + t.Name(), "CheckDuplicate": true, "Driver": "bridge",
			"Labels": map[string]string{engine.Label: e.RunLabel()},
			"IPAM":   map[string]any{"Config": []map[string]string{{"Subnet": fmt.Sprintf("10.213.%d.0/28", third)}}},
		}
		if err := e.Do(http.MethodPost, "/networks/create", body, &made); err == nil {
			break
		} else if third == 63 {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := e.Do(http.MethodDelete, "/networks/"+made.ID, nil, nil); err != nil {
			t.Error(err)
		}
	})
	return made.ID
}

// proves R1
//
// TestNoLineIsOfAnotherContainer: short lives in a network of fourteen
// addresses, each of which the next container has as soon as one has ended.
// Every line says itself which container it is from.
func TestNoLineIsOfAnotherContainer(t *testing.T) {
	t.Parallel()
	e := engine.Default(t)
	server := dogstatsd.Listen(t, dogstatsd.Options{Network: "udp", Buffer: 8 << 20, Keep: true})
	d := launch(t, relaying(t, e, server.URL()).with(settings{"relay.origin": "field", "log.level": "info"}))
	host, port := d.place()
	options := engine.Options{
		Image: e.Image(t), Network: smallNetwork(t, e), Cmd: []string{"-every=1ms"}, Env: []string{"DOGSTATSD=" + host + ":" + port},
	}
	var left atomic.Int64
	left.Store(int64(*cycles))
	var working sync.WaitGroup
	for n := range *workers {
		working.Go(func() {
			dice := rand.New(rand.NewPCG(2, uint64(n)))
			for left.Add(-1) >= 0 && !t.Failed() {
				if err := briefly(e, options, dice); err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	r := balanced(t, d)
	server.Wait(t, "all that was delivered", func(c dogstatsd.Counts) bool { return c.Messages >= int(r.Total.Delivered) })
	judge(t, server, r.Total.Unresolved)
}

// briefly is the life of one container: it sends from its first moment to its
// last, which is of its own choosing or a sudden one.
func briefly(e *engine.Engine, o engine.Options, dice *rand.Rand) error {
	id, err := e.TryCreate(o)
	if err != nil {
		return err
	}
	err = e.Try("start", id)
	for range dice.IntN(3) {
		<-time.After(time.Duration(dice.IntN(60)) * time.Millisecond) // as long as a life may be
		if err == nil && dice.IntN(2) == 0 {
			err = e.Try("restart", id)
		}
	}
	return errors.Join(err, e.Try("remove", id))
}

// judge counts the lines whose container is another's, and those without.
func judge(t *testing.T, server *dogstatsd.Receiver, unresolved uint64) {
	t.Helper()
	wrong, missing, all, named := 0, 0, 0, map[string]int{}
	for _, each := range server.Datagrams() {
		for line := range strings.Lines(each.Payload) {
			m, err := dogstatsd.Parse(strings.TrimSuffix(line, "\n"))
			if err != nil || len(m.Tags) != 1 {
				t.Fatalf("line %q: %v", line, err)
			}
			from := strings.TrimPrefix(m.Tags[0], "from:")
			id := inventory.ID(strings.TrimPrefix(m.Container, "ci-"))
			all++
			named[from] += min(len(id), 1)
			switch {
			case id == "":
				missing++
			case id.Short() != from:
				wrong++
				t.Errorf("a line of %s is said to be of %s", from, id.Short())
			}
		}
	}
	never := 0 // they were removed before Docker told of them
	for _, lines := range named {
		if lines == 0 {
			never++
		}
	}
	t.Logf("%d lines of %d containers: %d wrong, %d without an origin (%d as the relay counts); %d containers were never named",
		all, len(named), wrong, missing, unresolved, never)
	if missing == all {
		t.Error("no line has an origin, so nothing is proved")
	}
}
