package logs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// step does one thing of many: those of containers and tenants more often than
// those of the daemon.
func (m *model) step() {
	steps := []struct {
		weight int
		do     func()
	}{
		{8, m.create},
		{3, m.createLate},
		{4, m.write},
		{2, m.hold},
		{4, m.stop},
		{3, m.start},
		{10, m.destroy},
		{1, m.lose},
		{1, m.accuse},
		{6, func() { m.tenant() }},
		{6, m.wait},
		{1, m.jump},
		{1, m.restartDocker},
		{4, m.watch},
		{12, m.look},
		{3, m.undo},
		{2, m.expire},
		{1, m.restart},
		{1, m.fatten},
	}
	sum := 0
	for _, s := range steps {
		sum += s.weight
	}
	n := m.rand.IntN(sum)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			s.do()
			break
		}
	}
	if len(m.history) > 100 {
		m.history = slices.Clone(m.history[50:])
	}
}

func (m *model) say(format string, args ...any) {
	m.history = append(m.history, fmt.Sprintf(format, args...))
}

func (m *model) write() {
	f, ok := pick(m.rand, m.order)
	if ok && m.ino(f.path) == f.ino {
		file, err := os.OpenFile(m.abs(f.path)+"/app.log", os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, _ = file.WriteString("a line\n")
			file.Close()
		}
	}
}

// hold has a process of nobody hold a file open, or let go of it.
func (m *model) hold() {
	for _, f := range m.order {
		if f.held != 0 {
			m.must(os.RemoveAll(m.proc(f.held)))
			f.held = 0
			return
		}
	}
	f, ok := pick(m.rand, m.order)
	if !ok || m.ino(f.path) != f.ino {
		return
	}
	m.pids++
	m.process(m.pids, "0::/user.slice\n")
	fds := m.proc(m.pids) + "/fd"
	m.must(os.Mkdir(fds, 0o755))
	f.held = m.pids
	if os.Link(m.abs(f.path)+"/app.log", fds+"/3") != nil { // the same inode, as the kernel's link gives
		f.held = 0
		m.must(os.RemoveAll(filepath.Dir(fds)))
	}
}

func (m *model) wait() {
	far := []time.Duration{2 * time.Second, 20 * time.Minute, 90 * time.Minute, 4 * time.Hour}
	d, _ := pick(m.rand, far)
	m.wind(time.Duration(m.rand.Int64N(int64(d))))
}

// jump sets the clock.
func (m *model) jump() {
	far := []time.Duration{10 * time.Second, 4 * time.Minute, 3 * time.Hour, 60 * time.Hour}
	d, _ := pick(m.rand, far)
	if m.one(2) && d < m.offset { // not to before the start
		d = -d
	}
	m.say("clock %v", d)
	m.wind(d)
	if d < 0 && -d < 5*time.Minute {
		m.restart() // while it runs it has a clock that nobody sets
	}
}

func (m *model) wind(d time.Duration) {
	if m.offset += d; d < 0 {
		m.back++
	}
}

// fatten lets the journals grow until they are written anew.
func (m *model) fatten() {
	if !m.one(10) {
		return
	}
	m.shut()
	line := []byte("00000000 " + strings.Repeat("x", 500) + "\n") // damaged: it is left out
	for _, path := range m.files()[:1+len(m.roots)] {
		size := 513 << 10
		if path == m.abs("ledger") {
			size = 4<<20 + 1
		}
		if file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0); err == nil {
			_, err = file.Write(slices.Repeat(line, size/len(line)+1))
			m.must(err)
			file.Close()
		}
	}
	a := &act{what: "start with large journals", cancel: func() {}, names: map[string]int{}, fat: true}
	m.say("%s", a.what)
	m.act = a
	m.wake(a)
	m.act = nil
	m.check(a)
}
