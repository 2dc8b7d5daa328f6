package e2e_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/agent/api"
	"github.com/berth-dev/berth/test/engine"
)

// A shortage is what a file system has none of any more.
type shortage struct {
	name string
	fill func(t *testing.T, dir string)
	left func(unix.Statfs_t) uint64
}

var shortages = []shortage{
	{"bytes", fillBytes, func(s unix.Statfs_t) uint64 { return s.Bavail }},
	{"inodes", fillInodes, func(s unix.Statfs_t) uint64 { return s.Ffree }},
}

// small mounts an ext4 of its own on the daemon's folder "disk", with few
// inodes and nothing kept for root, and moves its log root there.
func (d *daemon) small() string {
	t := d.t
	t.Helper()
	at, image := filepath.Join(d.dir, "disk"), filepath.Join(t.TempDir(), "image")
	if err := errors.Join(os.Mkdir(at, 0o755), os.WriteFile(image, nil, 0o600), os.Truncate(image, 64<<20)); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{
		{"mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096", "-N", "1024", image}, {"mount", "-o", "loop", image, at},
	} {
		if out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", strings.Join(words, " "), err, out)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(at, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	d.configure(settings{"logs.roots": roots(at + "/logs")})
	if err := os.Mkdir(at+"/logs", 0o755); err != nil {
		t.Fatal(err)
	}
	return at
}

// fillBytes takes every last block.
func fillBytes(t *testing.T, dir string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, "filler"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 20; size >= 512; {
		_, err := file.Write(make([]byte, size))
		switch {
		case errors.Is(err, unix.ENOSPC):
			size /= 2
		case err != nil:
			t.Fatal(err)
		}
	}
	if err := file.Sync(); err != nil {
		t.Fatal(err)
	}
}

// fillInodes takes every last inode.
func fillInodes(t *testing.T, dir string) {
	t.Helper()
	many := filepath.Join(dir, "filler")
	if err := os.MkdirAll(many, 0o755); err != nil && !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	for {
		file, err := os.CreateTemp(many, "")
		if errors.Is(err, unix.ENOSPC) {
			return
		}
		if err = errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// at is how much is left of what is short.
func (s shortage) at(t *testing.T, dir string) uint64 {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	return s.left(st)
}

// exhaust fills a file system until nothing is left and nothing can be made. A
// file system may find some more once all is on disk.
func (s shortage) exhaust(t *testing.T, dir string) {
	t.Helper()
	eventually(t, "no "+s.name+" left", func() bool {
		s.fill(t, dir)
		_, err := os.MkdirTemp(dir, "filler")
		return errors.Is(err, unix.ENOSPC) && s.at(t, dir) == 0
	})
}

// A squeeze is a daemon whose disk has nothing left.
type squeeze struct {
	*daemon
	shortage
	t    *testing.T
	disk string
	stay []folder
}

// everyShortage runs a test for both shortages, with the state on another file
// system and on the same.
func everyShortage(t *testing.T, test func(t *testing.T, s *squeeze)) {
	t.Parallel()
	for _, short := range shortages {
		for name, state := range map[string]string{"the logs": "state", "the logs and the state": "disk/state"} {
			t.Run("no "+short.name+" for "+name, func(t *testing.T) {
				t.Parallel()
				e := engine.Private(t)
				s := &squeeze{shortage: short, t: t}
				s.daemon = install(t, settings{"docker.socket": e.Socket(), "logs.unknown_grace": "0s", "logs.undo": "24h"})
				s.disk = s.small()
				s.configure(settings{"state_dir": filepath.Join(s.dir, state)})
				for _, id := range created(t, e) {
					s.stay = append(s.stay, marked(t, s.mount(id.Short())))
				}
				s.stay = append(s.stay, marked(t, s.mount("not-a-container")))
				test(t, s)
				untouched(t, s.stay...)
			})
		}
	}
}

// mount is where a container's log folder is on the small disk.
func (s *squeeze) mount(name string) string {
	return filepath.Join(s.disk, "logs/orders/containers", name)
}

// grave is a folder of nobody with so many files, of 12 KiB each.
func (s *squeeze) grave(name string, files int) folder {
	s.t.Helper()
	f, err := mark(s.mount(name), files)
	for n := range files {
		err = errors.Join(err, os.WriteFile(f.canary(n), make([]byte, 12<<10), 0o644))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

// relief starts the daemon and logs when the first of what was short is back.
func (s *squeeze) relief(what string) {
	s.t.Helper()
	began := time.Now()
	s.spawn()
	for s.at(s.t, s.disk) == 0 {
		if s.over() || time.Since(began) > patience {
			s.t.Fatalf("%s: no %s after %v", what, s.name, time.Since(began))
		}
		<-time.After(time.Millisecond)
	}
	s.t.Logf("%s: the first %s are back %.0f ms after the start", what, s.name, time.Since(began).Seconds()*1e3)
	eventually(s.t, "an answer", func() bool { return s.run("status").code == exitOK })
}

// accounted wants a folder gone for good, and that told.
func (s *squeeze) accounted(f folder) {
	s.t.Helper()
	eventually(s.t, "the end of "+f.path, func() bool {
		return f.gone() && s.status().Logs.Restorable == 0 &&
			slices.ContainsFunc(ask[[]api.Record](s.daemon, "logs", "history"), func(r api.Record) bool {
				return r.Action == "purged" && r.Path == f.path
			})
	})
	s.sound()
}

// empty takes away what fills the disk.
func (s *squeeze) empty() {
	s.t.Helper()
	fillers, err := filepath.Glob(s.disk + "/filler*")
	for _, path := range fillers {
		err = errors.Join(err, os.RemoveAll(path))
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// sound wants the doctor to find nothing wrong but the disk.
func (s *squeeze) sound() {
	s.t.Helper()
	var checks []api.Check
	s.run("doctor", "--json").into(s.t, &checks)
	for _, c := range checks {
		if c.Level != "ok" && !strings.HasPrefix(c.Subject, "disk") {
			s.t.Errorf("doctor: %+v", c)
		}
	}
	if !slices.ContainsFunc(checks, func(c api.Check) bool { return c.Subject == "audit" && c.Level == "ok" }) {
		s.t.Errorf("the doctor does not say that the audit is whole: %+v", checks)
	}
	for _, reason := range s.status().Reasons {
		if !strings.HasPrefix(reason, "disk: ") {
			s.t.Errorf("status: %s", reason)
		}
	}
}

// TestADiskWithNothingLeftIsRelievedAtOnce: a daemon that starts on it needs
// nothing new to give the first space back, accounts for what it deletes, and
// loses nothing else, by a sudden death neither. J5, J6.
func TestADiskWithNothingLeftIsRelievedAtOnce(t *testing.T) {
	everyShortage(t, func(_ *testing.T, s *squeeze) {
		s.start()
		s.healthy()
		buried := s.grave(deadID, 20)
		if r := s.sweep(); len(r.Removed) != 1 {
			s.t.Fatalf("removed %+v, want %s", r.Removed, buried.path)
		}
		s.stop()
		s.exhaust(s.t, s.disk)
		s.relief("what was removed before")
		s.accounted(buried)
		s.stop()

		dead := s.grave("1"+deadID[1:], 10)
		s.exhaust(s.t, s.disk)
		s.relief("what lies in its place")
		s.sweep("--purge")
		s.accounted(dead)

		s.exhaust(s.t, s.disk)
		s.sweep("--purge")
		s.kill9()
		s.start()
		s.sound()
		s.empty()
		s.healthy()
	})
}

// TestAFirstStartOnAFullDiskSaysWhatItNeeds: what Berth keeps cannot be made
// there. It says so and how little it takes, and goes on by itself once there
// is that much.
func TestAFirstStartOnAFullDiskSaysWhatItNeeds(t *testing.T) {
	everyShortage(t, func(t *testing.T, s *squeeze) {
		dead := s.grave(deadID, 8)
		s.exhaust(t, s.disk)
		if strings.HasPrefix(s.settings["state_dir"].(string), s.disk) {
			s.spawn()
			if code := s.wait(patience); code != 1 || !strings.Contains(s.tail(5), "make room by hand") {
				t.Errorf("exit code %d, want 1 and the cure in %q", code, s.tail(5))
			}
			untouched(t, dead)
			s.empty()
			s.start()
		} else {
			s.start()
			r := s.sweep()
			if len(r.Removed) > 0 || len(r.Refused) != 1 || !strings.Contains(r.Refused[0].Reason, "12 KiB and 3 inodes") {
				t.Errorf("removed %+v, refused %+v, want the cure", r.Removed, r.Refused)
			}
			untouched(t, dead)
			for n := range 3 { // of 12 KiB each; one would do where bytes are short
				if err := os.Remove(dead.canary(n)); err != nil {
					t.Fatal(err)
				}
				if s.name == "bytes" {
					break
				}
			}
		}
		s.sweep("--purge")
		s.accounted(dead)
	})
}
