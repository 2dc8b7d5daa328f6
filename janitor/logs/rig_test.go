package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/ledger"
	"github.com/berth-dev/berth/janitor/logs"
)

// A rig is a log root, a state folder, a process table and an Engine that can
// be told to lie, with a sweeper over them. Folders, journals and renames are
// real; the Engine is a map.
type rig struct {
	t       *testing.T
	dir     string
	root    string
	sweeper *logs.Sweeper
	ledger  *ledger.Ledger
	audit   *audit.Log
	events  []logs.Event

	mu       sync.Mutex // guards the fields below
	exist    map[inventory.ID]inventory.State
	dataRoot string
	started  time.Time
	offset   time.Duration                           // of the clock
	listings int                                     // answered so far
	onList   func(n int, l *inventory.Listing) error // may change the nth answer, from 1
	process  map[inventory.ID]bool                   // in the process table, whatever exists
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{
		t: t, dir: dir, root: filepath.Join(dir, "apps"), dataRoot: "/var/lib/docker", started: time.Now().Add(-time.Hour),
		exist: map[inventory.ID]inventory.State{}, process: map[inventory.ID]bool{},
	}
	r.must(os.MkdirAll(r.root, 0o755))
	r.open()
	t.Cleanup(r.close)
	return r
}

// open makes the sweeper as a start of the daemon would.
func (r *rig) open() {
	r.t.Helper()
	var err error
	r.ledger, err = ledger.Open(filepath.Join(r.dir, "ledger"))
	r.must(err)
	r.audit, err = audit.Open(filepath.Join(r.dir, "audit"))
	r.must(err)
	pattern, err := logs.ParsePattern("{service}/containers/{id}")
	r.must(err)
	r.sweeper = &logs.Sweeper{
		Roots: []logs.Root{{Path: r.root, Pattern: pattern}}, Lister: r, Ledger: r.ledger, Audit: r.audit,
		Log: slog.New(slog.DiscardHandler), Now: r.now, Proc: filepath.Join(r.dir, "proc"),
		Policy: logs.Policy{Grace: time.Hour, UnknownGrace: 24 * time.Hour}, Undo: time.Hour, Settle: 5 * time.Minute, Late: time.Millisecond,
		Notify: func(e logs.Event) { r.events = append(r.events, e) },
	}
}

func (r *rig) close() {
	r.sweeper.Close()
	_ = r.ledger.Close()
	_ = r.audit.Close()
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.offset)
}

// later moves the clock.
func (r *rig) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offset += d
}

// List answers as the Engine does, or as onList makes it lie. It also brings
// the process table up to date.
func (r *rig) List(ctx context.Context) (inventory.Listing, error) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listings++
	l := inventory.Listing{Taken: now, Engine: inventory.Engine{RootDir: r.dataRoot, Started: r.started}}
	for _, id := range slices.Sorted(maps.Keys(r.exist)) {
		l.Containers = append(l.Containers, inventory.Container{ID: id, Service: "orders", State: r.exist[id]})
	}
	if r.onList != nil {
		if err := r.onList(r.listings, &l); err != nil {
			return inventory.Listing{}, err
		}
	}
	r.processes()
	return l, ctx.Err()
}

// processes writes the process table: process 1, and one for every container
// that is up.
func (r *rig) processes() {
	proc := filepath.Join(r.dir, "proc")
	r.must(os.RemoveAll(proc))
	write := func(pid int, cgroup string) {
		dir := filepath.Join(proc, fmt.Sprint(pid))
		r.must(os.MkdirAll(dir, 0o755))
		r.must(os.WriteFile(filepath.Join(dir, "cgroup"), []byte(cgroup), 0o644))
		r.must(os.WriteFile(filepath.Join(dir, "comm"), []byte("app\n"), 0o644))
	}
	write(1, "0::/init.scope\n")
	pid := 100
	for id, state := range r.exist {
		if state.Up() {
			write(pid, "0::/system.slice/docker-"+string(id)+".scope\n")
			pid++
		}
	}
	for id := range r.process {
		write(pid, "4:memory:/ecs/task/"+string(id)+"\n")
		pid++
	}
}

// id makes a whole ID that begins with a number.
func id(n int) inventory.ID {
	return inventory.ID(fmt.Sprintf("%08x%s", n, strings.Repeat("0a1b2c3d", 7)))
}

// run makes a container that runs, known to the ledger, with a folder and a
// file in it. It returns the folder.
func (r *rig) run(n int) string {
	r.t.Helper()
	r.mu.Lock()
	r.exist[id(n)] = inventory.Running
	r.mu.Unlock()
	r.ledger.Created(id(n), "orders", r.now())
	return r.folder(id(n).Short())
}

// folder makes a folder of orders with this name.
func (r *rig) folder(name string) string {
	r.t.Helper()
	path := filepath.Join(r.root, "orders/containers", name)
	r.must(os.MkdirAll(path, 0o755))
	r.must(os.WriteFile(filepath.Join(path, "app.log"), []byte("a line\n"), 0o644))
	return path
}

// remove removes a container; if told, with the event that Docker sends.
func (r *rig) remove(n int, event bool) {
	r.mu.Lock()
	delete(r.exist, id(n))
	r.mu.Unlock()
	if event {
		r.ledger.Removed(id(n), r.now())
	}
}

// list lets the ledger see a listing, as the watcher does after each event.
func (r *rig) list() {
	r.t.Helper()
	l, err := r.List(r.t.Context())
	r.must(err)
	r.ledger.Listed(l)
}

// dead makes a container that has come and gone, long enough ago.
func (r *rig) dead(n int) string {
	r.t.Helper()
	path := r.run(n)
	r.list()
	r.remove(n, true)
	r.list()
	return path
}

func (r *rig) sweep() logs.Report {
	r.t.Helper()
	report, err := r.sweeper.Sweep(r.t.Context(), logs.Options{By: "test"})
	r.must(err)
	return report
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return st.Ino
}

// stays fails the test if a folder is not where it was.
func (r *rig) stays(path string, why string) {
	r.t.Helper()
	if !exists(path) {
		r.t.Errorf("%s is gone: %s", path, why)
	}
}

func (r *rig) goes(path string) {
	r.t.Helper()
	if exists(path) {
		r.t.Errorf("%s is still there", path)
	}
}
