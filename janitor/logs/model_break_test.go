package logs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/internal/kernel"
)

// A breaking befalls the daemon at one of its system calls.
type breaking struct {
	at   int    // counted from 1: of the calls that change something, or of all for tenants
	only string // counts the calls of this name alone; empty: all
	kind kind
	err  error
}

type kind int

const (
	kill   kind = iota // the process ends before the call
	fail               // the call fails, and has no effect
	sticky             // it fails, and so do all of its name that follow
	torn               // a write stops half-way
	cancel             // the context ends
	tenant             // a tenant acts before the call
)

func (b breaking) String() string { return fmt.Sprintf("%d@%d%s", b.kind, b.at, b.only) }

var errKilled = errors.New("killed")

// breakings makes one to three, within so many calls.
func (m *model) breakings(within int) (all []breaking) {
	errs := []error{unix.EIO, unix.ENOSPC, unix.EACCES, unix.EBUSY, unix.EINTR}
	for range 1 + m.rand.IntN(6)/4 + m.rand.IntN(6)/5 {
		err, _ := pick(m.rand, errs)
		k, _ := pick(m.rand, []kind{kill, kill, fail, fail, sticky, torn, cancel})
		b := breaking{at: 1 + m.rand.IntN(within), kind: k, err: err}
		if m.one(2) {
			b.only, _ = pick(m.rand, []string{"renameat2", "unlinkat", "unlinkat", "fsync", "fdatasync", "write", "mkdirat"})
			b.at = 1 + m.rand.IntN(6)
		}
		all = append(all, b)
	}
	return all
}

// disturb decides what befalls a sweep.
func (m *model) disturb(a *act) {
	switch m.rand.IntN(10) {
	case 0, 1:
		a.lie, a.from, a.once = lie(1+m.rand.IntN(int(lies)-1)), 1+m.rand.IntN(3), m.one(2)
	case 2, 3, 4:
		a.breaks = m.breakings(40)
	case 5, 6:
		for range 1 + m.rand.IntN(3) {
			a.breaks = append(a.breaks, breaking{at: 1 + m.rand.IntN(90), kind: tenant})
		}
		if m.one(4) {
			a.breaks = append(a.breaks, m.breakings(30)...)
		}
	case 7:
		a.appear = 2 + m.rand.IntN(2)
	case 8:
		a.breaks = []breaking{{at: 1 + m.rand.IntN(8), only: "unlinkat", kind: kill}}
	}
}

// call is what stands between the daemon and the kernel. It also holds each
// call against the truth.
func (m *model) call(c kernel.Call, do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	changes, a := c.Name != "openat2", m.act
	if m.dead && changes {
		return errKilled
	}
	if a == nil {
		return do()
	}
	if a.calls++; changes {
		a.changes++
		a.names[c.Name]++
	}
	for _, b := range a.breaks {
		if err, over := m.befall(a, b, c, changes); over {
			return err
		}
	}
	m.allowed(a, c)
	if a.calls%16 == 0 {
		m.site().calls++
	}
	if m.mutant.call != nil {
		do = m.mutant.call(m, c, do)
	}
	err := do()
	if c.Name == "fdatasync" && err == nil && !m.mutant.unsynced {
		m.sync(c.Fd)
	}
	return err
}

// befall does what a breaking says if it is its turn. It is over if the call is
// not to be made.
func (m *model) befall(a *act, b breaking, c kernel.Call, changes bool) (err error, over bool) { //nolint:revive // the error is what the caller gets
	if b.kind == tenant {
		if b.at == a.calls {
			a.raced = m.tenant() || a.raced
			m.count.swaps.Add(1)
		}
		return nil, false
	}
	n := a.changes
	if b.only != "" {
		n = a.names[c.Name]
	}
	if !changes || b.only != "" && b.only != c.Name || n < b.at || n > b.at && b.kind != sticky {
		return nil, false
	}
	switch b.kind {
	case kill:
		m.site().kills++
		m.dead, a.killed = true, true
		return errKilled, true
	case cancel:
		a.stopped = true
		a.cancel()
		return nil, false
	case torn:
		if c.Name == "write" {
			_, _ = unix.Write(c.Fd, c.Data[:m.rand.IntN(max(1, len(c.Data)))])
		}
	case sticky:
		if b.at < n && c.Name != "write" && c.Name != "ftruncate" {
			return nil, false
		}
	}
	a.failed = true
	m.site().fails++
	m.count.faults.Add(1)
	return b.err, true
}

// sync notes how much of a file a loss of power leaves.
func (m *model) sync(fd int) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil {
		m.synced[st.Ino] = st.Size
	}
}

// files are the journals of the daemon.
func (m *model) files() []string {
	all := []string{m.abs("ledger")}
	for _, root := range m.roots {
		all = append(all, m.abs(root)+"/.berth/journal")
	}
	segments, _ := filepath.Glob(m.abs("audit/audit-*.log"))
	return append(all, segments...)
}

// settled takes what is in the journals for being on disk.
func (m *model) settled() {
	for _, path := range m.files() {
		var st unix.Stat_t
		if unix.Stat(path, &st) == nil {
			m.synced[st.Ino] = st.Size
		}
	}
}

// powerLoss takes away a part of what was written and not synced.
func (m *model) powerLoss() {
	for _, c := range m.containers {
		c.odd = true // its events are lost, maybe
	}
	for _, path := range m.files() {
		var st unix.Stat_t
		if unix.Stat(path, &st) != nil {
			continue
		}
		if left := m.synced[st.Ino]; left < st.Size {
			m.must(os.Truncate(path, left+m.rand.Int64N(st.Size-left+1)))
			if strings.Contains(path, "/audit/") {
				m.tail = tail{} // to be read again
			}
		}
	}
}
