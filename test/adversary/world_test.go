package adversary_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/collectors/inventory"
	"github.com/berth-dev/berth/janitor/audit"
	"github.com/berth-dev/berth/janitor/ledger"
	"github.com/berth-dev/berth/janitor/logs"
)

// A world is a log root with folders of living and dead containers, canaries,
// and the sweeper.
type world struct {
	t       *testing.T
	dir     string
	root    string // the log root
	outside string // beside it: nothing here may change
	sweeper *logs.Sweeper
	ledger  *ledger.Ledger
	audit   *audit.Log

	canaries []canary
	live     []string // paths of the living folders
	made     int      // containers so far

	mu      sync.Mutex // guards the fields below
	exist   map[inventory.ID]bool
	dead    []prey // the newest folders of the dead
	swaps   map[string]*atomic.Int64
	refused map[string]int
	leave   chan struct{} // an act each
	sum     struct{ removed, purged, restored, errors int }
}

// A prey is a folder whose container is dead, as its tenant can still reach it.
type prey struct {
	path string
	fd   int // of the folder itself, wherever it is moved
}

// A canary is a file that must stay what it is.
type canary struct {
	path string   // empty: wherever it is by now
	file *os.File // keeps its inode
	sum  [sha256.Size]byte
	stat unix.Stat_t
}

const (
	services   = 2
	actsAtOnce = 50
)

func service(n int) string { return fmt.Sprintf("service-%d", n%services) }

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := battlefield(t)
	w := &world{
		t: t, dir: dir, root: filepath.Join(dir, "apps"), outside: filepath.Join(dir, "outside"),
		exist: map[inventory.ID]bool{}, swaps: map[string]*atomic.Int64{}, refused: map[string]int{},
		leave: make(chan struct{}, actsAtOnce),
	}
	w.must(os.MkdirAll(w.outside, 0o755))
	for n := range services {
		w.must(os.MkdirAll(w.containers(n), 0o755))
	}
	for n := range 40 {
		w.canary(filepath.Join(w.outside, fmt.Sprintf("d%d/canary-%d", n%4, n)), true)
	}
	for n := range 8 {
		w.born(n)
	}
	for _, name := range []string{"0123456789AB", strings.Repeat("a", 63), strings.Repeat("b", 65), "0123456789a\n", "0123456789a\xff", "keep"} {
		w.canary(filepath.Join(w.containers(0), name, "canary"), false)
	}
	w.open()
	t.Cleanup(w.close)
	return w
}

// battlefield is a folder that clear removes.
func battlefield(t *testing.T) string {
	t.Helper()
	at := *where
	if at == "" {
		at = t.TempDir()
		if err := unix.Mount("tmpfs", at, "tmpfs", 0, "mode=0755"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := unix.Unmount(at, unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
	}
	dir, err := os.MkdirTemp(at, "world-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func (w *world) containers(n int) string { return filepath.Join(w.root, service(n), "containers") }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// canary makes a file and remembers it: by its path, or by its inode alone.
func (w *world) canary(path string, stays bool) {
	w.t.Helper()
	w.must(os.MkdirAll(filepath.Dir(path), 0o755))
	content := []byte("canary " + path)
	w.must(os.WriteFile(path, content, 0o640))
	w.must(os.Chown(path, 1234, 5678))
	file, err := os.Open(path)
	w.must(err)
	w.t.Cleanup(func() { file.Close() })
	c := canary{file: file, sum: sha256.Sum256(content)}
	w.must(unix.Fstat(int(file.Fd()), &c.stat))
	if stays {
		c.path = path
	}
	w.canaries = append(w.canaries, c)
}

// born makes a living container with a folder and a file that is open.
func (w *world) born(n int) {
	id := w.next()
	w.exist[id] = true
	path := filepath.Join(w.containers(n), id.Short())
	w.canary(filepath.Join(path, "app.log"), false)
	w.canary(filepath.Join(path, "sub/app.log"), false)
	w.live = append(w.live, path)
}

func (w *world) next() inventory.ID {
	w.made++
	return inventory.ID(fmt.Sprintf("%08x%s", w.made, strings.Repeat("0a1b2c3d", 7)))
}

func (w *world) open() {
	var err error
	w.ledger, err = ledger.Open(filepath.Join(w.dir, "ledger"))
	w.must(err)
	w.audit, err = audit.Open(filepath.Join(w.dir, "audit"))
	w.must(err)
	pattern, err := logs.ParsePattern("{service}/containers/{id}")
	w.must(err)
	w.sweeper = &logs.Sweeper{
		Roots: []logs.Root{{Path: w.root, Pattern: pattern}}, Lister: w, Ledger: w.ledger, Audit: w.audit,
		Log: slog.New(slog.DiscardHandler), Late: time.Millisecond,
	}
}

func (w *world) close() {
	w.sweeper.Close()
	_ = w.ledger.Close()
	_ = w.audit.Close()
}

// List names the living. They are exited, so that nobody looks for a process;
// that their files are open, this process's own table shows.
// It is also when the hostile strike: between a look and what follows from it.
func (w *world) List(ctx context.Context) (inventory.Listing, error) {
	w.strike()
	w.mu.Lock()
	defer w.mu.Unlock()
	l := inventory.Listing{Taken: time.Now(), Engine: inventory.Engine{RootDir: "/var/lib/docker", Started: time.Now().Add(-time.Hour)}}
	for id := range w.exist {
		l.Containers = append(l.Containers, inventory.Container{ID: id, State: inventory.Exited})
	}
	return l, ctx.Err()
}

// strike gives leave to as many hostile acts as may be done at once.
func (w *world) strike() {
	for {
		select {
		case w.leave <- struct{}{}:
		default:
			return
		}
	}
}

// die makes a container that has come and gone, and fills its folder.
func (w *world) die(r *rand.Rand) {
	n := r.IntN(services)
	id := w.next()
	path := filepath.Join(w.containers(n), id.Short())
	if err := os.MkdirAll(path, 0o755); err != nil {
		return // somebody has just taken the parent away
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	w.furnish(fd, r)
	w.ledger.Created(id, service(n), time.Now())
	w.ledger.Removed(id, time.Now())
	if l, err := w.List(w.t.Context()); err == nil {
		w.ledger.Listed(l)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = append(w.dead, prey{path, fd})
	for len(w.dead) > 24 {
		unix.Close(w.dead[0].fd)
		w.dead = w.dead[1:]
	}
}

// furnish puts into a folder what a tenant may leave there.
func (w *world) furnish(fd int, r *rand.Rand) {
	for n := range 4 {
		w.put(fd, fmt.Sprintf("app.%d.log", n))
	}
	for _, sub := range []string{"sub", "other"} {
		_ = unix.Mkdirat(fd, sub, 0o755)
		if in, err := unix.Openat(fd, sub, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
			w.put(in, "app.log")
			_ = unix.Mkdirat(in, "deeper", 0o755)
			unix.Close(in)
		}
	}
	_ = unix.Mknodat(fd, "pipe", unix.S_IFIFO|0o644, 0)
	_ = unix.Mknodat(fd, "null", unix.S_IFCHR|0o644, 1<<8|3)
	_ = unix.Symlinkat(w.outside, fd, "way out")
	_ = unix.Linkat(unix.AT_FDCWD, w.canaries[r.IntN(40)].path, fd, "linked canary", 0)
	_ = unix.Mkdirat(fd, "bad\n\x1b[31m\xff", 0o000)
}

func (w *world) put(fd int, name string) {
	if file, err := unix.Openat(fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o644); err == nil {
		_, _ = unix.Write(file, []byte("a line\n"))
		unix.Close(file)
	}
}

// prey returns one of the dead.
func (w *world) prey(r *rand.Rand) (prey, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.dead) == 0 {
		return prey{}, false
	}
	p := w.dead[r.IntN(len(w.dead))]
	fd, err := unix.FcntlInt(uintptr(p.fd), unix.F_DUPFD_CLOEXEC, 0)
	return prey{p.path, fd}, err == nil
}

// check returns what has become of canaries that are not what they were.
func (w *world) check() (touched []string) {
	for _, c := range w.canaries {
		var st unix.Stat_t
		content := make([]byte, 1+c.stat.Size)
		n, _ := c.file.ReadAt(content, 0)
		switch err := unix.Fstat(int(c.file.Fd()), &st); {
		case err != nil || st.Nlink == 0:
			touched = append(touched, c.file.Name()+" is deleted")
		case sha256.Sum256(content[:n]) != c.sum:
			touched = append(touched, c.file.Name()+" has other content")
		case st.Mode != c.stat.Mode || st.Uid != c.stat.Uid || st.Gid != c.stat.Gid || st.Mtim != c.stat.Mtim:
			touched = append(touched, c.file.Name()+" has another mode, owner or time")
		case c.path != "":
			var there unix.Stat_t
			if err := unix.Lstat(c.path, &there); err != nil || there.Ino != c.stat.Ino {
				touched = append(touched, fmt.Sprintf("%s is not in its place: %v", c.path, err))
			}
		}
	}
	return touched
}
