package logs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/ledger"
	"github.com/berth-dev/berth/janitor/logs"
)

// A model is one host: containers, folders, Docker's word about them, and the
// truth, which the sweeper must not get wrong. A name is claimed while a
// container that it can be of exists or has a process.
type model struct {
	disk string // a file system of its own
	dev  uint64 // its device
	dir  string // of this life
	seed uint64 // of this life
	rand *rand.Rand

	sweeper *logs.Sweeper
	ledger  *ledger.Ledger
	audit   *audit.Log

	containers map[inventory.ID]*container
	ids        []inventory.ID // of containers, in the order they were made
	folders    map[uint64]*folder
	order      []*folder // folders, in the order they were made
	inner      map[uint64]*folder
	roots      []string // relative to dir
	holds      map[string]time.Time
	plans      []remembered
	offset     time.Duration // of the clock
	back       int           // how often the clock has gone back
	dataRoot   string
	started    time.Time // the Engine
	pids       int

	mu      sync.Mutex       // held over each system call of the sweeper
	act     *act             // what it is doing
	dead    bool             // killed: nothing it does has an effect
	synced  map[uint64]int64 // by inode: how much of a journal is on disk
	purging map[string]bool  // by moment: stones that are deleted in part, maybe
	sites   map[site]*visits
	tail    tail
	mutant  mutant
	history []string
	count   counts
	err     error // the first broken invariant
}

// A container as it is, whatever Docker says.
type container struct {
	id     inventory.ID
	state  inventory.State
	listed bool // Docker knows it
	pid    int  // its process; 0: none
	path   string
	gone   time.Time // when it ended for good
	odd    bool      // it has been gone for longer, as far as the ledger can tell
	back   int       // of the clock then
	since  int       // the look in the present act with which it came to life again
}

func (c *container) lives() bool { return c.listed || c.pid != 0 }

// A folder is known by its inode wherever it is.
type folder struct {
	ino     uint64
	path    string // relative to dir, as the tenants know it
	entries int    // directly in it
	held    int    // the process that has a file of it open; 0: none
	stone   string // its path in a yard, if it is there
	plan    string // that the stone names
	buried  time.Time
	doomed  bool // it was confirmed
	raced   bool // a tenant acted while it was taken away: its path may be another
}

// begin makes an empty host and starts the daemon.
func (m *model) begin() {
	m.shut()
	if m.dir != "" {
		m.must(os.RemoveAll(m.dir))
	}
	m.dir = filepath.Join(m.disk, fmt.Sprint(m.seed))
	m.rand, m.history = rand.New(rand.NewPCG(m.seed, 1)), nil
	m.containers, m.ids = map[inventory.ID]*container{}, nil
	m.folders, m.order, m.inner = map[uint64]*folder{}, nil, map[uint64]*folder{}
	m.holds, m.plans, m.offset, m.back = map[string]time.Time{}, nil, 0, 0
	m.dataRoot, m.started, m.pids, m.tail = "/var/lib/docker", time.Now().Add(-time.Hour), 100, tail{}
	m.synced, m.purging = map[uint64]int64{}, map[string]bool{}
	if m.roots = []string{"apps"}; m.seed%3 == 2 {
		m.roots = append(m.roots, "batch")
	}
	for _, root := range m.roots {
		m.must(os.MkdirAll(m.abs(root), 0o755))
	}
	m.must(os.MkdirAll(m.abs("proc"), 0o755))
	m.process(1, "0::/init.scope\n")
	m.must(m.open())
}

func (m *model) abs(path string) string { return m.dir + "/" + path }

// open starts the daemon.
func (m *model) open() (err error) {
	if m.ledger, err = ledger.Open(m.abs("ledger")); err != nil {
		return err
	}
	if m.audit, err = audit.Open(m.abs("audit")); err != nil {
		return errors.Join(err, m.ledger.Close())
	}
	s := &logs.Sweeper{
		Lister: m, Ledger: m.ledger, Audit: m.audit, Log: slog.New(slog.DiscardHandler), Now: m.now, Proc: m.abs("proc"),
		Policy: logs.Policy{Grace: time.Hour, UnknownGrace: 24 * time.Hour},
		Undo:   time.Hour, Settle: 5 * time.Minute, Late: time.Nanosecond,
	}
	for i, root := range m.roots {
		pattern, err := logs.ParsePattern([]string{"{service}/containers/{id}", "{id}"}[i])
		m.must(err)
		s.Roots = append(s.Roots, logs.Root{Path: m.abs(root), Pattern: pattern})
	}
	if m.mutant.open != nil {
		m.mutant.open(s)
	}
	m.sweeper = s
	s.RootStates() // opens the roots
	return nil
}

// shut lets go of everything, as the end of the process does.
func (m *model) shut() {
	if m.sweeper != nil {
		m.sweeper.Abandon()
		_ = m.ledger.Close()
		_ = m.audit.Close()
		m.sweeper = nil
	}
}

func (m *model) now() time.Time { return time.Now().Add(m.offset) }

// one reports true once in n times.
func (m *model) one(n int) bool { return m.rand.IntN(n) == 0 }

func pick[T any](r *rand.Rand, all []T) (one T, ok bool) {
	if len(all) == 0 {
		return one, false
	}
	return all[r.IntN(len(all))], true
}

// claimed reports whether a name is that of a container that lived when the
// nth look of the present act was taken.
func (m *model) claimed(name string, look int) bool {
	for _, c := range m.containers {
		if c.lives() && c.since <= look && strings.HasPrefix(string(c.id), name) {
			return true
		}
	}
	return false
}

func (m *model) proc(pid int) string { return m.abs(fmt.Sprintf("proc/%d", pid)) }

// process puts a process into the table.
func (m *model) process(pid int, cgroup string) {
	dir := m.proc(pid)
	m.must(os.Mkdir(dir, 0o755))
	m.must(os.WriteFile(dir+"/cgroup", []byte(cgroup), 0o644))
	m.must(os.WriteFile(dir+"/comm", []byte("app\n"), 0o644))
}

// up gives a container a process.
func (m *model) up(c *container) {
	if c.pid == 0 {
		m.pids++
		c.pid = m.pids
		m.process(c.pid, "0::/system.slice/docker-"+string(c.id)+".scope\n")
	}
}

// down ends the process of a container.
func (m *model) down(c *container) {
	if c.pid != 0 {
		m.must(os.RemoveAll(m.proc(c.pid)))
		c.pid = 0
	}
}

// know takes a new folder in, with the folders inside it.
func (m *model) know(path string) {
	ino := m.ino(path)
	if m.folders[ino] != nil || ino == 0 {
		return
	}
	entries, err := os.ReadDir(m.abs(path))
	m.must(err)
	f := &folder{ino: ino, path: path, entries: len(entries)}
	m.folders[ino], m.inner[ino] = f, f
	m.order = append(m.order, f)
	for _, e := range entries {
		for sub := path + "/" + e.Name(); e.IsDir(); {
			m.inner[m.ino(sub)] = f
			if below, err := os.ReadDir(m.abs(sub)); err != nil || len(below) == 0 || !below[0].IsDir() {
				break
			}
			sub += "/d"
		}
	}
}

// forget lets go of a folder that is gone.
func (m *model) forget(f *folder) {
	delete(m.folders, f.ino)
	for ino, of := range m.inner {
		if of == f {
			delete(m.inner, ino)
		}
	}
	for i := range m.order {
		if m.order[i] == f {
			m.order = append(m.order[:i:i], m.order[i+1:]...)
			break
		}
	}
}

// ino is the inode of a folder; 0: there is none.
func (m *model) ino(path string) uint64 {
	var st unix.Stat_t
	if unix.Lstat(m.abs(path), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return 0
	}
	return st.Ino
}

// List is Docker's answer, or what the act makes of it.
func (m *model) List(ctx context.Context) (inventory.Listing, error) {
	a := m.act
	a.looks++
	lie := a.lieAt(a.looks)
	m.appear()
	l := inventory.Listing{Taken: m.now(), Engine: inventory.Engine{RootDir: m.dataRoot, Started: m.started}}
	for _, id := range m.ids {
		if c := m.containers[id]; c.listed {
			l.Containers = append(l.Containers, inventory.Container{ID: id, Service: "orders", State: c.state})
		}
	}
	good, err := m.lie(lie, &l)
	if m.mutant.list != nil {
		err = m.mutant.list(m, &l, err)
	}
	a.good = append(a.good, good && ctx.Err() == nil)
	return l, errors.Join(err, ctx.Err())
}
