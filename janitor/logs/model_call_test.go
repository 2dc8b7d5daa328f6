package logs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
)

// moment is when a stone was buried, as its name says.
func moment(stone string) string {
	name, _, _ := strings.Cut(filepath.Base(stone), "-")
	return name
}

// allowed holds one system call against the truth, before it is made: nothing
// is written but journals, nothing is deleted but what is in the yard and
// claimed by nobody, nothing is moved unseen.
func (m *model) allowed(a *act, c kernel.Call) {
	if c.Name == "openat2" || c.Name == "fsync" {
		return
	}
	place := strings.TrimPrefix(place(c), m.dir+"/")
	root, in, _ := strings.Cut(place, "/")
	home := slices.Contains(m.roots, root) && (in == ".berth" || strings.HasPrefix(in, ".berth/"))
	state := strings.HasPrefix(place, "ledger") || root == "audit"
	growing := home && strings.HasPrefix(in, ".berth/tombstones.new")
	switch c.Name {
	case "unlinkat":
		own := in == ".berth" && (c.Path == "journal.next" || c.Path == "tombstones.new") || place == root && c.Path == ".berth"
		if state || growing || own {
			return
		}
		below, ok := strings.CutPrefix(in, ".berth/tombstones")
		if !home || !ok {
			m.fail("J4: unlinkat(%q, %q)", place, c.Path)
			return
		}
		m.deletes(a, strings.TrimPrefix(below+"/"+c.Path, "/"))
	case "renameat2":
		if !home && !state {
			m.buries(a, place, c.Path)
		}
	case "mkdirat":
		if !home && !state && (place != root || c.Path != ".berth") {
			m.fail("J4: mkdirat(%q, %q)", place, c.Path)
		}
	default:
		if !home && !state {
			m.fail("J4: %s(%q, %q)", c.Name, place, c.Path)
		}
	}
}

// place is the path of what a call is made on.
func place(c kernel.Call) string {
	if c.Fd == unix.AT_FDCWD {
		return c.Path
	}
	path, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", c.Fd))
	return path
}

// deletes: something of a stone is about to be deleted.
func (m *model) deletes(a *act, path string) {
	stone, _, _ := strings.Cut(path, "/")
	stone, _, _ = strings.Cut(stone, "~")
	name := stone[strings.LastIndexByte(stone, '-')+1:]
	switch key := moment(stone); {
	case !a.sighted():
		m.fail("J2: %q is deleted on a blind view: %v", path, a.good)
	case m.purging[key]:
	case m.claimed(name, a.looks):
		m.fail("J5: %q is deleted, and its container lives", path)
	default:
		m.purging[key] = true
	}
}

// buries: an entry is about to be moved into the yard.
func (m *model) buries(a *act, place, name string) {
	switch {
	case !a.raced && !candidate(place+"/"+name):
		m.fail("J4: %q in %q is moved", name, place)
	case !a.sighted():
		m.fail("J2: %q is moved on a blind view: %v", name, a.good)
	case m.claimed(name, a.looks):
		m.fail("J3: %q is moved, and its container lives", name)
	}
}
