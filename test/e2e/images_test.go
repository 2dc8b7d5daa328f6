package e2e_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/images/usage"
	"github.com/berth-dev/berth/test/engine"
)

// layered makes an image of one layer of so many MiB, and returns its ID.
func layered(t *testing.T, e *engine.Engine, name string, mib int) string {
	t.Helper()
	content := make([]byte, mib<<20)
	_, _ = rand.Read(content)
	path := filepath.Join(t.TempDir(), "layer")
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	repo, tag, _ := strings.Cut(name, ":")
	if err := e.Import(repo, tag, path); err != nil {
		t.Fatal(err)
	}
	for id, names := range stored(t, e) {
		if slices.Contains(names, name) {
			return id
		}
	}
	t.Fatalf("the Engine does not have %s", name)
	return ""
}

// stored are the images of an Engine, by ID, and their names.
func stored(t *testing.T, e *engine.Engine) map[string][]string {
	t.Helper()
	var list []struct {
		ID       string `json:"Id"`
		RepoTags []string
	}
	if err := e.Do(http.MethodGet, "/images/json", nil, &list); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, i := range list {
		all[i.ID] = i.RepoTags
	}
	return all
}

// age has the daemon remember that all images came long ago: it does not run.
func (d *daemon) age(e *engine.Engine, ago time.Duration) {
	d.t.Helper()
	l, err := usage.Open(filepath.Join(d.dir, "state", "images"))
	if err != nil {
		d.t.Fatal(err)
	}
	var images []inventory.Image
	for id, names := range stored(d.t, e) {
		images = append(images, inventory.Image{ID: id, Tags: names})
	}
	l.Listed(images, nil, time.Now().Add(-ago))
	if err := l.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// J6, J7: what nobody needs goes, exactly as planned, and what anybody needs
// stays.
func TestImagesThatNobodyNeedsGo(t *testing.T) {
	t.Parallel()
	e := engine.Private(t)
	used := layered(t, e.Engine, "registry.test/orders:210", 1)
	old := layered(t, e.Engine, "registry.test/orders:208", 1)
	newest := layered(t, e.Engine, "registry.test/billing:7", 1)
	pinned := layered(t, e.Engine, "registry.test/base/java:21", 1)
	e.Create(t, engine.Options{Image: "registry.test/orders:210", Cmd: []string{"x"}}) // never started
	d := install(t, settings{"docker.socket": e.Socket(), "images.keep": []string{"base/*"}, "images.keep_newest": 1})
	if err := os.MkdirAll(d.dir+"/state", 0o700); err != nil {
		t.Fatal(err)
	}
	d.age(e.Engine, 100*time.Hour)
	young := layered(t, e.Engine, "registry.test/orders:209", 1) // nobody saw it before
	d.start()
	d.healthy()
	plan := ask[api.ImagePlan](d, "images", "plan")
	verdicts := map[string]string{}
	for _, o := range plan.Objects {
		if o.Kind == "image" {
			verdicts[o.ID] = o.Verdict + " " + o.Code
		}
	}
	for id, want := range map[string]string{used: "keep in-use", old: "remove unused", newest: "keep newest", pinned: "keep pinned", young: "keep young"} {
		if verdicts[id] != want {
			t.Errorf("%s: %s, want %s", stored(t, e.Engine)[id], verdicts[id], want)
		}
	}
	if out := d.run("images", "sweep", "--dry-run").want(t, exitOK).stdout; out != plan.Text {
		t.Errorf("the dry run prints\n%s\nand the plan is\n%s", out, plan.Text)
	}
	report := ask[api.ImageSweepReport](d, "images", "sweep", "--plan", plan.Hash)
	if len(report.Removed) != plan.Remove || report.Predicted != plan.Bytes || len(report.Lost) > 0 {
		t.Errorf("planned %d and %d bytes; %+v", plan.Remove, plan.Bytes, report)
	}
	left := stored(t, e.Engine)
	for _, o := range plan.Objects {
		if _, here := left[o.ID]; o.Kind == "image" && here != (o.Verdict == "keep") {
			t.Errorf("%s was to %s; here: %t", o.Name, o.Verdict, here)
		}
	}
	for id, names := range left {
		if strings.Contains(fmt.Sprint(names), "berth.local") {
			t.Errorf("%s is still called %s", id, names)
		}
	}
	if why := d.why("registry.test/orders:208"); !strings.Contains(why.Verdict, "was purged") || len(why.History) != 2 {
		t.Errorf("why says %q with %d records", why.Verdict, len(why.History))
	}
	if why := d.why("registry.test/orders:210"); !strings.Contains(why.Verdict, "is kept") {
		t.Errorf("why says %q", why.Verdict)
	}
	if history := d.run("images", "history").want(t, exitOK).stdout; !strings.Contains(history, "orders:208") {
		t.Errorf("the history is\n%s", history)
	}
	if logs := d.history(); strings.Contains(logs, "purged unused") {
		t.Errorf("images are in the history of log folders: %s", logs)
	}
}

// On a disk that fills, images go until there is room enough, and no more.
func TestAFullDockerDiskLosesOnlyAsManyImagesAsItTakes(t *testing.T) {
	t.Parallel()
	e := engine.Private(t)
	e.Down(t, syscall.SIGTERM)
	e.Move("small")
	if err := os.Mkdir(e.DataRoot(), 0o711); err != nil {
		t.Fatal(err)
	}
	disk(t, e.DataRoot(), 128)
	e.Up(t)
	defer e.Down(t, syscall.SIGTERM) // before its disk is unmounted
	for n := range 6 {
		layered(t, e.Engine, fmt.Sprintf("registry.test/app%d:1", n), 12)
	}
	d := install(t, settings{
		"docker.socket": e.Socket(), "images.keep_newest": 0, "images.min_age": "1h",
		"disk.low": 40, "disk.high": 55, "disk.emergency": 95,
	})
	if err := os.MkdirAll(d.dir+"/state", 0o700); err != nil {
		t.Fatal(err)
	}
	d.age(e.Engine, 100*time.Hour)
	d.start()
	eventually(t, "room on Docker's disk", func() bool { return len(stored(t, e.Engine)) < 6 })
	eventually(t, "the end of the sweep", func() bool {
		for _, j := range d.status().Jobs {
			if j.Name == "images" && j.Last != nil && !j.Running {
				return j.Last.Result == "ok"
			}
		}
		return false
	})
	if left := len(stored(t, e.Engine)); left < 2 || left > 4 {
		t.Errorf("%d of 6 images are left, want some but not all: %s", left, d.run("images", "history").stdout)
	}
}
