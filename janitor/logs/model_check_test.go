package logs_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/berth-dev/berth/janitor/logs"
)

// check holds what has become of the host against the truth, after every act.
func (m *model) check(a *act) {
	if m.err != nil {
		return
	}
	m.read()
	m.reported(a)
	places, stones := m.places(), m.stones()
	held := map[string]bool{} // in the yard
	for _, place := range places {
		if inYard(place) {
			held[moment(place)] = true
		}
	}
	for _, f := range slices.Clone(m.order) {
		place, there := places[f.ino]
		delete(places, f.ino)
		switch {
		case !there:
			m.wentAway(a, f)
		case inYard(place):
			m.lies(a, f, place, stones)
		default:
			m.stands(a, f, place)
		}
	}
	for key, s := range stones {
		if !held[key] && !s.Purging {
			m.fail("%q is said to be in the yard, and is not: %s", s.Path, s.Reason)
		}
	}
	for ino, place := range places {
		if m.inner[ino] == nil && m.err == nil {
			m.fail("%q is a folder that nobody made", place)
		}
	}
}

func inYard(path string) bool { return strings.Contains(path, "/.berth/tombstones/") }

// stands: the folder is in reach of the tenants.
func (m *model) stands(a *act, f *folder, place string) {
	if place != f.path && !a.raced && !f.raced {
		m.fail("%q was moved to %q", f.path, place)
	}
	f.path = place
	if f.stone == "" {
		return
	}
	m.count.restored.Add(1)
	f.stone, f.doomed, f.raced = "", false, false
	entries, err := os.ReadDir(m.abs(place))
	if err != nil || len(entries) != f.entries {
		m.fail("%q came back with %d entries, and had %d: %v", place, len(entries), f.entries, err)
	}
}

// lies: the folder is in the yard, where it may be only if it was planned, seen
// dead twice, and written down; or on its way back after a fault.
func (m *model) lies(a *act, f *folder, place string, stones map[string]logs.Removed) {
	s, known := stones[moment(place)]
	if !known {
		m.fail("%q is in the yard, and the sweeper does not know it", place)
		return
	}
	confirmed, fresh := s.Code == logs.CodeRestorable, f.stone != place
	if fresh {
		f.doomed, f.raced = false, a.raced // it was put back first, if it was in the yard before
	}
	if fresh && s.Code != logs.CodeOrphan {
		f.path = strings.TrimPrefix(s.Path, m.dir+"/") // a tenant may have moved the folder above
	}
	f.stone, f.plan, f.buried = place, strings.Split(filepath.Base(place), "-")[2], s.Removed
	if confirmed && !f.doomed {
		f.doomed = true
		m.count.removed.Add(1)
		m.mayGo(a, f, s, fresh)
	}
	if !confirmed && fresh && !a.failed && !a.raced {
		m.fail("%q is in the yard, and not confirmed: %s; the yard is %+v", f.path, s.Reason, m.sweeper.Yard())
	}
	if !confirmed && a.swept && a.clean() && !a.report.DryRun && s.Code != logs.CodeOrphan && m.free(f.path) && !a.emptied(s.Path) {
		m.fail("%q could go back, and was not put back: %s", f.path, s.Reason)
	}
}

// emptied reports whether a sweep took away what was at a path.
func (a *act) emptied(path string) bool {
	return slices.ContainsFunc(a.report.Removed, func(o logs.Outcome) bool { return o.Path == path })
}

// mayGo holds a confirmed burial against what the sweep knew.
func (m *model) mayGo(a *act, f *folder, s logs.Removed, fresh bool) {
	name, at := filepath.Base(s.Path), spot{s.Path, f.ino}
	if !fresh && m.tail.said["removed "+s.Path+" "+f.plan] {
		return // it was confirmed before, by a write that was reported as failed
	}
	switch {
	case !a.swept || a.report.DryRun:
		m.fail("%q was removed by %s", s.Path, a.what)
	case !spots(a.report.Plan)[at]:
		m.fail("J6: %q was removed, and is not in the plan\n%s", s.Path, a.report.Plan.Text())
	case a.named != nil && !a.named[at]:
		m.fail("J6: %q was removed, and is not in the plan that was to be applied", s.Path)
	case !a.sees(1) || !a.sees(2):
		m.fail("J2: %q was removed on a blind view: %v", s.Path, a.good)
	case m.claimed(name, 2):
		m.fail("J3: %q was removed, and its container lives", s.Path)
	case f.held != 0:
		m.fail("%q was removed, and process %d has a file of it open", s.Path, f.held)
	case a.at.Before(m.holds[s.Path]):
		m.fail("%q was removed, and was to be kept until %v; the ledger says %v", s.Path, m.holds[s.Path], m.ledger.View().Holds[s.Path])
	case !m.tail.said["removed "+s.Path+" "+f.plan]:
		m.fail("J6: %q was removed, and the audit has no record of it under plan %s", s.Path, f.plan)
	}
	entries := m.ledger.View().Entries
	for _, c := range m.containers {
		known := entries[c.id].ID != "" // else its folder is as old as it looks, by a clock that was not moved
		if known && strings.HasPrefix(string(c.id), name) && c.back == m.back && !c.odd && m.now().Before(c.gone.Add(time.Hour)) {
			m.fail("%q was removed %v after its container: %+v", s.Path, m.now().Sub(c.gone), entries[c.id])
		}
	}
}

// wentAway: the folder is gone for good, which is right if it was confirmed,
// its window was over or somebody said so, and it is written down.
func (m *model) wentAway(a *act, f *folder) {
	path, atOnce := m.abs(f.path), false
	for at := range spots(a.report.Plan) {
		// It was removed by the same act; exchanged between two looks, it is in the
		// plan at both places.
		if at.ino == f.ino && a.purge && (!atOnce || m.tail.said["purged "+at.path]) {
			path, atOnce = at.path, true
		}
	}
	switch {
	case a.report.DryRun, f.stone == "" && !atOnce:
		m.fail("J5: %q was deleted without a window or beyond the plan: %s", f.path, a.what)
	case !f.doomed && !atOnce:
		m.fail("J5: %q was deleted, and was not confirmed", f.path)
	case !a.purge && m.now().Before(f.buried.Add(time.Hour)):
		m.fail("%q was deleted %v after it was removed", f.path, m.now().Sub(f.buried))
	case !m.tail.said["purged "+path] || !m.tail.said["removed "+path]:
		m.fail("J6: %q (inode %d, stone %q, raced %t, at once %t, called %q) was deleted, and the audit has no record of it: purged %t, removed %t; new in it is %q",
			f.path, f.ino, f.stone, f.raced, atOnce, path, m.tail.said["purged "+path], m.tail.said["removed "+path], slices.Sorted(maps.Keys(m.tail.fresh)))
	}
	if m.count.purged.Add(1); !f.doomed {
		m.count.removed.Add(1)
	}
	m.forget(f)
}

// free reports whether a folder could be put at a path.
func (m *model) free(path string) bool {
	return !exists(m.abs(path)) && m.ino(filepath.Dir(path)) != 0
}

// rested holds the host against what must be left when there was time enough:
// what is claimed, held open, or not a container's.
func (m *model) rested() {
	holds := m.ledger.View().Holds
	for _, f := range m.order {
		if m.err != nil || m.claimed(filepath.Base(f.path), 99) || f.held != 0 || m.now().Before(holds[m.abs(f.path)]) {
			continue
		}
		if f.stone == "" && candidate(f.path) {
			m.fail("%q should be gone by now\n%s", f.path, m.planNow().Text())
		}
		if f.stone != "" && f.doomed {
			m.fail("%q should be deleted by now: %+v", f.stone, m.stones()[moment(f.stone)])
		}
	}
}

// places returns where the folders are that are known, or that could be a
// container's, by inode.
func (m *model) places() map[uint64]string {
	all := make(map[uint64]string, len(m.order)+8)
	for _, root := range m.roots {
		m.visit(all, root, 1)
		m.visit(all, root+"/.berth/tombstones", 4)
	}
	return all
}

// visit adds the folders in a folder, and those below that are none of ours.
func (m *model) visit(all map[uint64]string, dir string, depth int) {
	entries(m.abs(dir), func(name string, ino uint64) {
		path := dir + "/" + name
		if m.folders[ino] != nil || candidate(path) || inYard(path) {
			all[ino] = path
		} else if depth < 3 && name != ".berth" {
			m.visit(all, path, depth+1)
		}
	})
}

// planNow is what a sweep would do now.
func (m *model) planNow() logs.Plan {
	m.act = &act{}
	defer func() { m.act = nil }()
	r, err := m.sweeper.Sweep(context.Background(), logs.Options{DryRun: true})
	m.must(err)
	return r.Plan
}

// stones are what the sweeper says is in the yards, by the moment of burial.
func (m *model) stones() map[string]logs.Removed {
	all := map[string]logs.Removed{}
	for _, s := range m.sweeper.Yard() {
		if s.Removed.IsZero() {
			all[moment(s.Path)] = s // an orphan
			continue
		}
		key := fmt.Sprintf("%019d", s.Removed.UnixNano())
		all[key] = s
		if s.Purging {
			m.purging[key] = true
		}
	}
	return all
}
