package images_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/docker"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/images"
	"github.com/berth-dev/berth/janitor/images/usage"
	"github.com/berth-dev/berth/test/dockerproxy"
	"github.com/berth-dev/berth/test/engine"
)

// A live rig is a sweeper over an Engine of its own, whose images came 30 days
// ago.
type live struct {
	testing.TB
	*engine.Daemon
	sweeper *images.Sweeper
}

// newLive starts an Engine. Where proxied, the sweeper asks by way of a proxy.
func newLive(t testing.TB, proxied bool) (*live, *dockerproxy.Proxy) {
	t.Helper()
	l := &live{TB: t, Daemon: engine.Private(t)}
	socket := l.Socket()
	var proxy *dockerproxy.Proxy
	if proxied {
		proxy = dockerproxy.New(t, socket)
		socket = proxy.Socket()
	}
	client, err := docker.Dial(socket)
	l.ok(err)
	remover, err := client.Remover()
	l.ok(err)
	trail, err := audit.Open(filepath.Join(t.TempDir(), "audit"))
	l.ok(err)
	l.sweeper = &images.Sweeper{
		Lister: client, Remover: remover, Ledger: usage.New(), Audit: trail, Log: slog.New(slog.DiscardHandler),
		Policy: images.Policy{MinAge: time.Hour, Dangling: time.Hour}, Wait: time.Millisecond,
		Space: func(root string) images.Space {
			var st unix.Statfs_t
			l.ok(unix.Statfs(root, &st))
			return images.Space{Free: int64(st.Bfree) * st.Bsize}
		},
	}
	t.Cleanup(func() {
		client.CloseIdle()
		remover.CloseIdle()
		_ = trail.Close()
	})
	return l, proxy
}

func (l *live) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// names are the names of every image that the Engine has, by ID.
func (l *live) names() map[string][]string {
	l.Helper()
	var list []struct {
		ID       string `json:"Id"`
		RepoTags []string
	}
	l.ok(l.Do(http.MethodGet, "/images/json", nil, &list))
	all := map[string][]string{}
	for _, i := range list {
		slices.Sort(i.RepoTags)
		all[i.ID] = slices.DeleteFunc(i.RepoTags, func(tag string) bool { return tag == "<none>:<none>" })
	}
	return all
}

// age has the ledger remember that all images came long ago.
func (l *live) age() {
	l.Helper()
	var all []inventory.Image
	for id, names := range l.names() {
		all = append(all, inventory.Image{ID: id, Tags: names})
	}
	l.sweeper.Ledger.Listed(all, nil, time.Now().Add(-30*day))
}

// create creates a container from an image as docker create does.
func (l *live) create(image string) (inventory.ID, error) {
	var created struct{ ID inventory.ID }
	err := l.Do(http.MethodPost, "/containers/create", map[string]any{"Image": image, "Cmd": []string{"/none"}, "HostConfig": map[string]any{"NetworkMode": "none"}}, &created)
	return created.ID, err
}

// onTmpfs has what the test makes lie on a file system of its own.
func onTmpfs(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "b") // not t.TempDir: sockets' paths have room for 107 bytes only
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1g"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Unmount(dir, unix.MNT_DETACH)
		_ = os.Remove(dir)
	})
	t.Setenv("TMPDIR", dir)
}

// J6, J7: after a sweep the Engine holds exactly what the plan says, and the file
// system has as many bytes more as the plan says, within a hundredth.
func TestJ6TheEngineHoldsWhatThePlanSays(t *testing.T) {
	onTmpfs(t)
	l, _ := newLive(t, false)
	base, runtime := engine.Content{Name: "base", Bytes: 20 << 20}, engine.Content{Name: "runtime", Bytes: 8 << 20}
	own := func(name string) engine.Content { return engine.Content{Name: name, Bytes: 5 << 20} }
	ids := l.Load(t,
		engine.Build{Names: []string{"orders:1"}, Layers: []engine.Content{base, runtime, own("orders1")}},
		engine.Build{Names: []string{"orders:2", "orders:old"}, Layers: []engine.Content{base, runtime, own("orders2")}},
		engine.Build{Names: []string{"orders:3", "orders:stable"}, Layers: []engine.Content{base, own("orders3")}},
		engine.Build{Names: []string{"billing:1"}, Layers: []engine.Content{base, own("billing1")}},
		engine.Build{Names: []string{"pinned:1"}, Layers: []engine.Content{own("pinned1")}, Labels: map[string]string{images.KeepLabel: ""}},
		engine.Build{Layers: []engine.Content{own("dangling")}},
		engine.Build{Names: []string{"moved:1"}, Layers: []engine.Content{own("moved")}},
	)
	workload := l.Image(t)
	l.Run(t, engine.Options{Image: workload})
	l.Stop(t, l.Run(t, engine.Options{Image: workload}))
	_, err := l.create("orders:3")
	l.ok(err)
	_, err = l.create(ids[3])
	l.ok(err)
	_, err = l.create("moved:1")
	l.ok(err)
	ids = append(ids, l.Load(t, engine.Build{Names: []string{"moved:1"}, Layers: []engine.Content{own("mover")}})...)
	l.age()

	want := l.names()
	for _, n := range []int{0, 1, 5} { // not 7: a container gives the name that has moved to it
		delete(want, ids[n])
	}
	dry, err := l.sweeper.Sweep(t.Context(), images.Options{DryRun: true})
	l.ok(err)
	if l.containerd() { // a manifest's few hundred bytes are others with another Engine
		golden(t, "testdata/plan-live-containerd.txt", anonymous(dry.Plan.Text(), ids, 1<<20))
	} else {
		golden(t, "testdata/plan-live.txt", anonymous(dry.Plan.Text(), ids, 1))
	}
	report, err := l.sweeper.Sweep(t.Context(), images.Options{Plan: dry.Plan.Hash()})
	l.ok(err)
	if diff := cmp.Diff(want, l.names()); diff != "" {
		t.Errorf("the Engine holds something else (-plan +Engine)\n%s", diff)
	}
	if off := float64(report.Freed-report.Predicted) / float64(report.Predicted); off < -0.01 || off > 0.01 {
		t.Errorf("the plan says %d bytes, and the file system has %d more: %.2f %% off", report.Predicted, report.Freed, 100*off)
	} else {
		t.Logf("%d bytes were predicted, the file system has %d more: %.2f %% off", report.Predicted, report.Freed, 100*off)
	}
}

// containerd reports whether the Engine has the containerd image store.
func (l *live) containerd() bool {
	l.Helper()
	var info struct{ DriverStatus [][2]string }
	l.ok(l.Do(http.MethodGet, "/info", nil, &info))
	return slices.Contains(info.DriverStatus, [2]string{"driver-type", "io.containerd.snapshotter.v1"})
}

// anonymous is a plan without what differs from run to run: times, the IDs of
// images that are not listed, and what is left of bytes beside whole units.
func anonymous(plan string, ids []string, unit int64) string {
	for n, id := range ids {
		plan = strings.ReplaceAll(plan, id, fmt.Sprint("image", n))
	}
	var lines []string
	for line := range strings.Lines(plan) {
		head, reason, _ := strings.Cut(line, " bytes: ")
		code, _, _ := strings.Cut(reason, ":")
		space := strings.LastIndexByte(head, ' ')
		bytes, _ := strconv.ParseInt(head[space+1:], 10, 64)
		lines = append(lines, fmt.Sprintf("%s %d bytes: %s\n", head[:space], bytes/unit*unit, code))
	}
	slices.Sort(lines[1:]) // of one worth, by ID
	return strings.Join(lines, "")
}

// J7: 200 containers are created by name while their images are removed: every
// one that could be created has its image, with its names.
func TestJ7NoImageGoesUnderAContainerThatIsCreatedMeanwhile(t *testing.T) {
	created, lost := race(t, 200, 200*time.Millisecond, func(name, _ string) string { return name })
	if len(lost) > 0 || created < 20 {
		t.Errorf("%d containers were created, and these have lost their image: %q", created, lost)
	}
}

// J7: by ID nobody can be kept from making a container of an image, and the
// Engine lets it go in the very instant between the two. Each such loss is an
// alarm, and the container can start all the same: its layers stay.
func TestJ7AnImageThatIsAskedForByIDIsKeptOrAnAlarm(t *testing.T) {
	race(t, 60, 900*time.Millisecond, func(_, id string) string { return id })
}

// race creates containers in the first moments of a sweep that removes their
// images, and returns how many were created and which of their images are gone. That each of those was
// an alarm is checked.
func race(t *testing.T, count int, within time.Duration, ref func(name, id string) string) (created int, lost []string) {
	t.Helper()
	const together = 20
	l, _ := newLive(t, false)
	l.sweeper.Wait = 300 * time.Millisecond
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	removed := 0
	for round := range count / together {
		var builds []engine.Build
		for n := range together {
			name := fmt.Sprintf("r%d-%d:1", round, n)
			builds = append(builds, engine.Build{Names: []string{name}, Layers: []engine.Content{{Name: "base", Bytes: 1000}, {Name: name, Bytes: 5000}}})
		}
		ids := l.Load(t, builds...)
		l.age()
		var races sync.WaitGroup
		made, failed := make([]inventory.ID, len(ids)), make([]error, len(ids))
		for n, id := range ids {
			delay := time.Duration(r.Int64N(int64(within)))
			races.Go(func() {
				<-time.After(delay)
				made[n], failed[n] = l.create(ref(builds[n].Names[0], id))
			})
		}
		report, _ := l.sweeper.Sweep(t.Context(), images.Options{})
		races.Wait()
		removed += len(report.Removed)
		names := l.names()
		for n, id := range ids {
			left, here := names[id]
			switch alarm := slices.ContainsFunc(report.Lost, func(o images.Outcome) bool { return o.ID == id }); {
			case failed[n] != nil && !strings.Contains(failed[n].Error(), "404"):
				t.Errorf("create: %v", failed[n])
			case failed[n] == nil && !here && alarm:
				lost = append(lost, builds[n].Names[0])
			case failed[n] == nil && !here || alarm:
				t.Errorf("%s: here %t, alarm %t, create %v", builds[n].Names, here, alarm, failed[n])
			case here && !slices.Equal(left, builds[n].Names):
				t.Errorf("%s has the names %q", builds[n].Names, left)
			}
			if failed[n] == nil {
				created++
				l.ok(l.Try("remove", made[n]))
			}
		}
	}
	t.Logf("seed %d: %d containers were created, %d images removed, %d of them under a container", seed, created, removed, len(lost))
	if created == 0 || removed == 0 {
		t.Error("the race was not run")
	}
	return created, lost
}

// J2, J7: whatever the Engine does in the middle of a sweep: what is used stays,
// what is left has its names, and the sweep says why it ended.
func TestJ7AnEngineThatFailsDuringASweep(t *testing.T) {
	for what, fault := range map[string]func(l *live, p *dockerproxy.Proxy){
		"500":          func(_ *live, p *dockerproxy.Proxy) { p.Set(dockerproxy.Faults{Status: http.StatusInternalServerError}) },
		"half a body":  func(_ *live, p *dockerproxy.Proxy) { p.Set(dockerproxy.Faults{HalfBody: true}) },
		"hangs":        func(_ *live, p *dockerproxy.Proxy) { p.Set(dockerproxy.Faults{Hang: true}) },
		"a restart":    func(l *live, _ *dockerproxy.Proxy) { l.Down(l, syscall.SIGKILL); l.Up(l) },
		"a clean stop": func(l *live, _ *dockerproxy.Proxy) { l.Down(l, syscall.SIGTERM); l.Up(l) },
	} {
		t.Run(what, func(t *testing.T) {
			l, proxy := newLive(t, true)
			ids := l.Load(t,
				engine.Build{Names: []string{"orders:1", "orders:old"}, Layers: []engine.Content{{Name: "a", Bytes: 5000}}},
				engine.Build{Names: []string{"billing:1"}, Layers: []engine.Content{{Name: "b", Bytes: 5000}}},
				engine.Build{Names: []string{"used:1"}, Layers: []engine.Content{{Name: "c", Bytes: 5000}}})
			_, err := l.create("used:1")
			l.ok(err)
			l.age()
			before := l.names()
			l.sweeper.Wait = time.Second
			done := make(chan images.Report)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			go func() {
				report, _ := l.sweeper.Sweep(ctx, images.Options{})
				done <- report
			}()
			for len(l.sweeper.Ledger.Moves()) == 0 || maps.EqualFunc(before, l.names(), slices.Equal) {
				<-time.After(time.Millisecond)
			}
			fault(l, proxy)
			report := <-done
			proxy.Set(dockerproxy.Faults{})
			if len(report.Removed) == 0 && len(report.Refused) == 0 {
				t.Error("the sweep says nothing")
			}
			for _, o := range report.Refused {
				if o.Reason == "" {
					t.Errorf("refused without a reason: %+v", o)
				}
			}
			l.sweeper.Policy = forever
			_, err = l.sweeper.Sweep(t.Context(), images.Options{}) // names come back
			l.ok(err)
			for _, o := range report.Removed {
				delete(before, o.ID)
			}
			if diff := cmp.Diff(before, l.names()); diff != "" {
				t.Errorf("the Engine holds something else (-want +got)\n%s", diff)
			}
			if _, here := before[ids[2]]; !here {
				t.Error("what is used is gone")
			}
		})
	}
}
