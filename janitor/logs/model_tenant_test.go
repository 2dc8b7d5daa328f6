package logs_test

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/logs"
)

// fill makes a folder with something in it.
func (m *model) fill(path string) bool {
	if os.Mkdir(m.abs(path), 0o755) != nil {
		return false
	}
	m.must(os.WriteFile(m.abs(path)+"/app.log", []byte("a line\n"), 0o644))
	if m.one(3) {
		m.must(os.WriteFile(m.abs(path)+"/old.log", nil, 0o644))
		depth := 1
		if m.one(12) {
			depth = 34 // deeper than is open at once
		}
		deep := m.abs(path) + strings.Repeat("/d", depth)
		m.must(os.MkdirAll(deep, 0o755))
		m.must(os.WriteFile(deep+"/gc.log", nil, 0o644))
	}
	return true
}

// tenant has somebody who can write below the root do what it should not. It
// reports whether anything became of it.
func (m *model) tenant() bool {
	acts := []func() bool{m.exchange, m.exchange, m.rename, m.rename, m.link, m.unlink, m.occupy, m.occupy, m.moveParent, m.litter, m.wipe}
	act, _ := pick(m.rand, acts)
	return act()
}

// here returns a known folder that is where the tenants know it.
func (m *model) here() (*folder, bool) {
	var all []*folder
	for _, f := range m.order {
		if m.ino(f.path) == f.ino {
			all = append(all, f)
		}
	}
	return pick(m.rand, all)
}

// exchange swaps two folders in one step.
func (m *model) exchange() bool {
	a, _ := m.here()
	b, ok := m.here()
	if !ok || a == b || unix.Renameat2(unix.AT_FDCWD, m.abs(a.path), unix.AT_FDCWD, m.abs(b.path), unix.RENAME_EXCHANGE) != nil {
		return false
	}
	m.say("exchanged %s and %s", a.path, b.path)
	a.path, b.path = b.path, a.path
	return true
}

// rename gives a folder a name that is nobody's, or somebody's.
func (m *model) rename() bool {
	f, ok := m.here()
	if !ok {
		return false
	}
	name, _ := pick(m.rand, []string{"old", "0123456789AB", "0123456789abc", "..data", "\xff", string(m.newID())[:12], string(m.newID())})
	to := filepath.Dir(f.path) + "/" + name
	if unix.Renameat2(unix.AT_FDCWD, m.abs(f.path), unix.AT_FDCWD, m.abs(to), unix.RENAME_NOREPLACE) != nil {
		return false
	}
	m.say("renamed %s to %q", f.path, to)
	f.path = to
	return true
}

// link puts a symbolic link where a folder was.
func (m *model) link() bool {
	f, ok := m.here()
	to, _ := m.here()
	if !ok || to == f {
		return false
	}
	from := f.path
	if !m.rename() || m.ino(from) != 0 {
		return true
	}
	_ = os.Symlink(m.abs(to.path), m.abs(from))
	return true
}

// unlink removes links and files that stand where folders should.
func (m *model) unlink() (some bool) {
	for _, c := range m.containers {
		if st, err := os.Lstat(m.abs(c.path)); c.path != "" && err == nil && !st.IsDir() {
			some = os.Remove(m.abs(c.path)) == nil
		}
	}
	return some
}

// occupy makes a folder or a file where one was.
func (m *model) occupy() bool {
	f, ok := pick(m.rand, m.order)
	if !ok || exists(m.abs(f.path)) {
		return false
	}
	if m.one(3) {
		return os.WriteFile(m.abs(f.path), nil, 0o644) == nil
	}
	if !m.fill(f.path) {
		return false
	}
	m.know(f.path)
	m.say("occupied %s", f.path)
	return true
}

// moveParent moves the folder of a service's folders away, or back.
func (m *model) moveParent() bool {
	from, to := "apps/orders/containers", "apps/orders/containers.away"
	if exists(m.abs(to)) {
		from, to = to, from
	}
	var inside []*folder
	for _, f := range m.order {
		if filepath.Dir(f.path) == from && m.ino(f.path) == f.ino {
			inside = append(inside, f)
		}
	}
	if unix.Renameat2(unix.AT_FDCWD, m.abs(from), unix.AT_FDCWD, m.abs(to), unix.RENAME_NOREPLACE) != nil {
		return false
	}
	m.say("moved %s to %s", from, to)
	for _, f := range inside {
		f.path = to + "/" + filepath.Base(f.path)
	}
	return true
}

// litter makes what is no folder of a container, and must stay.
func (m *model) litter() bool {
	name, _ := pick(m.rand, []string{"lost+found", "abcdefabcde", "ABCDEFABCDEF", "abcdefabcdefg", ".berth2", "abcdefabcdef\n"})
	dir, _ := pick(m.rand, []string{"apps", "apps/orders", "apps/orders/containers"})
	if !exists(m.abs(dir)) || exists(m.abs(dir+"/"+name)) || !m.fill(dir+"/"+name) {
		return false
	}
	m.know(dir + "/" + name)
	return true
}

// wipe removes a folder, as a container may with its own.
func (m *model) wipe() bool {
	f, ok := m.here()
	if !ok || f.held != 0 || !m.one(3) {
		return false
	}
	m.must(os.RemoveAll(m.abs(f.path)))
	m.say("wiped %s", f.path)
	m.forget(f)
	return true
}

// candidate reports whether a path is at a container folder's place.
func candidate(path string) bool {
	parts := strings.Split(path, "/")
	name := parts[len(parts)-1]
	if parts[0] == "batch" {
		return len(parts) == 2 && logs.IsFolderName(name)
	}
	return len(parts) == 4 && parts[2] == "containers" && logs.IsFolderName(name)
}
