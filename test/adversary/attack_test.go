package adversary_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// An attack is one thing that a tenant does, once or twice. It counts what it
// brought about.
type attack func(w *world, r *rand.Rand) (swaps int64)

func attacks() map[string]attack {
	return map[string]attack{
		"folder for a link":          folderForLink,
		"dead for living":            deadForLiving,
		"inside: folder for a link":  insideForLink,
		"inside: file for a link":    fileForLink,
		"the parent renamed":         parentRenamed,
		"the parent for a link":      parentForLink,
		"a mount inside":             mountInside,
		"a deep tree":                deepTree,
		"writing without end":        writing,
		"the same name again":        sameNameAgain,
		"an immutable file":          immutableFile,
		"a living folder moved away": livingAway,
	}
}

func exchange(a, b string) bool {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) == nil
}

func exchangeAt(fd int, a, b string) bool {
	return unix.Renameat2(fd, a, fd, b, unix.RENAME_EXCHANGE) == nil
}

// thereAndBack exchanges two names and, after some moment, mostly exchanges
// them back.
func thereAndBack(r *rand.Rand, swap func() bool) (n int64) {
	for range 2 - r.IntN(8)/7 {
		if swap() {
			n++
		}
		moment(r)
	}
	return n
}

// moment passes without leaving the processor: some microseconds or, now and
// then, some hundred.
func moment(r *rand.Rand) {
	most := 3000
	if r.IntN(4) == 0 {
		most *= 200
	}
	for range r.IntN(most) {
	}
}

// target is where a link leads: out of the root, or to a living neighbour.
func (w *world) target(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return w.outside
	}
	return w.live[r.IntN(len(w.live))]
}

func (w *world) link(r *rand.Rand, at string) string {
	link := filepath.Join(at, fmt.Sprintf("link-%d", r.Uint64()))
	_ = unix.Symlink(w.target(r), link)
	return link
}

func folderForLink(w *world, r *rand.Rand) int64 {
	p, ok := w.prey(r)
	if !ok {
		return 0
	}
	defer unix.Close(p.fd)
	link := w.link(r, filepath.Dir(p.path))
	n := thereAndBack(r, func() bool { return exchange(p.path, link) })
	_ = unix.Unlink(link)
	return n
}

func deadForLiving(w *world, r *rand.Rand) int64 {
	p, ok := w.prey(r)
	if !ok {
		return 0
	}
	defer unix.Close(p.fd)
	living := w.live[r.IntN(len(w.live))]
	return thereAndBack(r, func() bool { return exchange(p.path, living) })
}

func insideForLink(w *world, r *rand.Rand) (n int64) {
	p, ok := w.prey(r)
	if !ok {
		return 0
	}
	defer unix.Close(p.fd)
	_ = unix.Symlinkat(w.target(r), p.fd, "a link")
	for range 8 {
		n += thereAndBack(r, func() bool { return exchangeAt(p.fd, "sub", "a link") })
	}
	return n
}

func fileForLink(w *world, r *rand.Rand) (n int64) {
	p, ok := w.prey(r)
	if !ok {
		return 0
	}
	defer unix.Close(p.fd)
	_ = unix.Symlinkat(w.canaries[r.IntN(40)].path, p.fd, "to a canary")
	for range 8 {
		n += thereAndBack(r, func() bool { return exchangeAt(p.fd, "app.1.log", "to a canary") })
		n += thereAndBack(r, func() bool { return exchangeAt(p.fd, "app.2.log", "other") })
	}
	return n
}

func parentRenamed(w *world, r *rand.Rand) (n int64) {
	at := filepath.Dir(w.containers(r.IntN(services)))
	if r.IntN(2) == 0 {
		at = filepath.Join(at, "containers")
	}
	if unix.Renameat2(unix.AT_FDCWD, at, unix.AT_FDCWD, at+".away", unix.RENAME_NOREPLACE) == nil {
		n++
	}
	for unix.Renameat2(unix.AT_FDCWD, at+".away", unix.AT_FDCWD, at, unix.RENAME_NOREPLACE) != nil {
		// Somebody made it anew: what is in the new one joins the old.
		if unix.Rmdir(at) != nil && unix.Renameat2(unix.AT_FDCWD, at, unix.AT_FDCWD, fmt.Sprintf("%s.%d", at, r.Uint64()), unix.RENAME_NOREPLACE) != nil {
			return n
		}
	}
	return n + 1
}

func parentForLink(w *world, r *rand.Rand) int64 {
	at := filepath.Dir(w.containers(r.IntN(services)))
	link := w.link(r, w.root)
	n := thereAndBack(r, func() bool { return exchange(at, link) })
	for tries := 0; n%2 == 1 && tries < 100_000; tries++ { // whoever renames it meanwhile brings it back
		if exchange(at, link) {
			n++
		}
		moment(r)
	}
	_ = unix.Unlink(link)
	return n
}

func mountInside(w *world, r *rand.Rand) int64 {
	p, ok := w.prey(r)
	if !ok {
		return 0
	}
	defer unix.Close(p.fd)
	at := filepath.Join(p.path, []string{"sub", "other", "sub/deeper"}[r.IntN(3)])
	if r.IntN(2) == 0 {
		at = fmt.Sprintf("/proc/self/fd/%d/sub", p.fd) // wherever it is by now
	}
	if unix.Mount(w.outside, at, "", unix.MS_BIND, "") != nil {
		return 0
	}
	moment(r)
	for unix.Unmount(at, unix.MNT_DETACH) != nil {
		if at = w.mounted(); at == "" {
			break
		}
	}
	return 2
}

func deepTree(w *world, r *rand.Rand) (n int64) {
	if r.IntN(200) > 0 {
		return 0
	}
	p, ok := w.prey(r)
	if !ok {
		return 0
	}
	at := p.fd
	for range 25_000 {
		_ = unix.Mkdirat(at, "d", 0o755)
		next, err := unix.Openat(at, "d", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		unix.Close(at)
		if err != nil {
			return n
		}
		at, n = next, n+1
	}
	unix.Close(at)
	return 1
}

func writing(w *world, r *rand.Rand) int64 {
	p, ok := w.prey(r)
	if !ok {
		return 0
	}
	defer unix.Close(p.fd)
	for n := range 20 {
		w.put(p.fd, fmt.Sprintf("more.%d", n))
	}
	return 1
}

func sameNameAgain(w *world, r *rand.Rand) int64 {
	p, ok := w.prey(r)
	if !ok {
		return 0
	}
	defer unix.Close(p.fd)
	if unix.Mkdir(p.path, 0o755) != nil {
		return 0
	}
	return 1
}

const immutable = 0x10 // FS_IMMUTABLE_FL of linux/fs.h

func immutableFile(w *world, r *rand.Rand) int64 {
	if r.IntN(50) > 0 {
		return 0
	}
	p, ok := w.prey(r)
	if !ok {
		return 0
	}
	defer unix.Close(p.fd)
	fd, err := unix.Openat(p.fd, "app.3.log", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	_ = unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, immutable)
	moment(r)
	_ = unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, 0)
	return 1
}

func livingAway(w *world, r *rand.Rand) int64 {
	living := w.live[r.IntN(len(w.live))]
	away := filepath.Join(filepath.Dir(living), fmt.Sprintf("%012x", r.Uint64()>>16)) // a name that was never seen
	if unix.Renameat2(unix.AT_FDCWD, living, unix.AT_FDCWD, away, unix.RENAME_NOREPLACE) != nil {
		return 0
	}
	moment(r)
	if unix.Renameat2(unix.AT_FDCWD, away, unix.AT_FDCWD, living, unix.RENAME_NOREPLACE) != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.refused["a living folder that did not find back"]++
		return 1
	}
	return 2
}

// assault attacks until ctx ends, as often as it is given leave, with pauses: a
// sweeper that gets no processor proves nothing.
func (w *world) assault(ctx context.Context, name string, a attack, seed uint64) {
	r := rand.New(rand.NewPCG(seed, uint64(len(name))))
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.leave:
			w.swaps[name].Add(a(w, r))
			<-time.After(time.Duration(r.IntN(500)) * time.Microsecond)
		}
	}
}

// table is how often each attack was made.
func (w *world) table() string {
	var b strings.Builder
	for name, n := range w.swaps {
		fmt.Fprintf(&b, "\n%12d  %s", n.Load(), name)
	}
	return b.String()
}
