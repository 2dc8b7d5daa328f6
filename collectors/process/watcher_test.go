package process_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/collectors/process"
	"github.com/berth-dev/berth/test/engine"
)

// patient is how long a test waits for what it expects on a busy machine.
const patient = 30 * time.Second

var one, two = inventory.ID(strings.Repeat("1", inventory.IDLen)), inventory.ID(strings.Repeat("2", inventory.IDLen))

// rig is a watcher that runs until the test ends.
type rig struct {
	*process.Watcher
	ended chan inventory.ID
}

func watch(t *testing.T, change func(*process.Watcher)) *rig {
	t.Helper()
	r := &rig{ended: make(chan inventory.ID, 1000)}
	r.Watcher = &process.Watcher{
		Inventory: new(inventory.Inventory), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Ended: func(id inventory.ID) { r.ended <- id },
	}
	if change != nil {
		change(r.Watcher)
	}
	ctx, cancel := context.WithCancel(context.Background())
	returned := make(chan error, 1)
	go func() { returned <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-returned:
			if err != nil {
				t.Errorf("Run: %v, want nil", err)
			}
		case <-time.After(patient):
			t.Error("Run has not returned")
		}
	})
	return r
}

func (r *rig) show(containers ...inventory.Container) {
	r.Inventory.Replace(inventory.Snapshot{Synced: true, Containers: containers})
}

// until waits for processes of which holds is true.
func (r *rig) until(t *testing.T, what string, holds func(map[inventory.ID]process.Process) bool) map[inventory.ID]process.Process {
	t.Helper()
	deadline := time.After(patient)
	for {
		now, expired := r.Watch()
		if holds(now) {
			return now
		}
		select {
		case <-expired:
		case <-deadline:
			t.Fatalf("not seen: %s; processes %v, fault %q", what, now, r.Fault())
		}
	}
}

func (r *rig) wantEnd(t *testing.T, id inventory.ID) {
	t.Helper()
	select {
	case got := <-r.ended:
		if got != id {
			t.Errorf("the end of %s was told, want that of %s", got.Short(), id.Short())
		}
	case <-time.After(patient):
		t.Fatalf("the end of %s was not told", id.Short())
	}
}

// child is a process that lives until its input ends.
func child(t *testing.T) (pid int, end func()) {
	t.Helper()
	c := exec.Command("cat")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() {
		_ = in.Close()
		_ = c.Wait()
	}
	t.Cleanup(end)
	return c.Process.Pid, end
}

// table is a /proc in which processes are in containers.
func table(t *testing.T, of map[int]inventory.ID) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for pid, id := range of {
		folder := filepath.Join(dir, strconv.Itoa(pid))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "cgroup"), []byte("0::/system.slice/docker-"+string(id)+".scope/init\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAnEndIsToldAtOnce(t *testing.T) {
	first, end := child(t)
	second, _ := child(t)
	cgroups := t.TempDir()
	folder := filepath.Join(cgroups, "system.slice", "docker-"+string(one)+".scope")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	r := watch(t, func(w *process.Watcher) {
		w.Proc, w.Cgroups = table(t, map[int]inventory.ID{first: one, second: two}), cgroups
	})
	r.show(inventory.Container{ID: one, PID: first}, inventory.Container{ID: two, PID: second})
	got := r.until(t, "both", func(p map[inventory.ID]process.Process) bool { return len(p) == 2 })
	if want := (process.Process{PID: first, Inode: number(t, folder)}); got[one] != want {
		t.Errorf("got %v, want %v", got[one], want)
	}
	end()
	r.wantEnd(t, one)
	// The inventory is late: what has ended is not begun again, and is shown as
	// long as the inventory shows it.
	r.show(inventory.Container{ID: one, PID: first}, inventory.Container{ID: two, PID: second})
	if now, _ := r.Watch(); now[one] != got[one] || len(now) != 2 {
		t.Errorf("after the end of one: %v", now)
	}
	r.show(inventory.Container{ID: two, PID: second})
	r.until(t, "the other alone", func(p map[inventory.ID]process.Process) bool { return len(p) == 1 && p[two].PID == second })
	r.show()
	r.until(t, "none", func(p map[inventory.ID]process.Process) bool { return len(p) == 0 })
	if len(r.ended) > 0 {
		t.Errorf("the end of %s was told, which only left the picture", (<-r.ended).Short())
	}
}

func TestAProcessOfAnotherIsNotHeld(t *testing.T) {
	mine, _ := child(t)
	reused, _ := child(t)
	r := watch(t, func(w *process.Watcher) { w.Proc = table(t, map[int]inventory.ID{mine: one, reused: one}) })
	r.show(inventory.Container{ID: two, PID: reused}, inventory.Container{ID: one, PID: mine})
	got := r.until(t, "one", func(p map[inventory.ID]process.Process) bool { return p[one].PID == mine })
	if len(got) != 1 || !strings.Contains(r.Fault(), "another's") {
		t.Errorf("processes %v, fault %q", got, r.Fault())
	}
}

func TestARestartIsAnotherProcess(t *testing.T) {
	before, end := child(t)
	after, _ := child(t)
	r := watch(t, func(w *process.Watcher) { w.Proc = table(t, map[int]inventory.ID{before: one, after: one}) })
	r.show(inventory.Container{ID: one, PID: before})
	r.until(t, "the first", func(p map[inventory.ID]process.Process) bool { return p[one].PID == before })
	end()
	r.wantEnd(t, one)
	r.show(inventory.Container{ID: one, PID: after})
	r.until(t, "the second", func(p map[inventory.ID]process.Process) bool { return p[one].PID == after })
}

// As dogstatsd clients do it: they look at the cgroup that they see mounted.
func TestAContainersProcessAndInode(t *testing.T) {
	e := engine.Default(t)
	before := time.Now()
	id := e.Run(t, engine.Options{})
	var inspect struct{ State struct{ Pid int } }
	if err := e.Do("GET", "/containers/"+string(id)+"/json", nil, &inspect); err != nil {
		t.Fatal(err)
	}
	pid := inspect.State.Pid
	r := watch(t, nil)
	r.show(inventory.Container{ID: id, PID: pid})
	got := r.until(t, "its process", func(p map[inventory.ID]process.Process) bool { return p[id].PID == pid })
	seen := filepath.Join("/proc", strconv.Itoa(pid), "root/sys/fs/cgroup/memory")
	if _, err := os.Stat(seen); err != nil {
		seen = filepath.Dir(seen)
	}
	if want := number(t, seen); got[id].Inode != want {
		t.Errorf("inode %d, want %d, as it is seen at %s", got[id].Inode, want, seen)
	}
	if s := got[id].Started; s.Before(before.Add(-time.Second)) || s.After(time.Now()) {
		t.Errorf("it began at %v, which is not after %v", s, before)
	}
	e.Kill(t, id)
	r.wantEnd(t, id)
}

func TestManyComeAndGo(t *testing.T) {
	r := watch(t, func(w *process.Watcher) { w.Log = slog.New(slog.DiscardHandler) })
	before := open(t)
	pid, end := child(t)
	r.Proc = table(t, map[int]inventory.ID{pid: one})
	for range 200 {
		r.show(inventory.Container{ID: one, PID: pid})
		r.until(t, "it", func(p map[inventory.ID]process.Process) bool { return len(p) == 1 })
		r.show()
		r.until(t, "none", func(p map[inventory.ID]process.Process) bool { return len(p) == 0 })
	}
	end()
	if after := open(t); after > before+2 {
		t.Errorf("%d descriptors are open, and before %d", after, before)
	}
}

func open(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func number(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}
