package rotate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/beneath"
	"github.com/berth-dev/berth/janitor/rotate"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A rig is the log folder of a living container.
type rig struct {
	t       *testing.T
	path    string
	dir     *beneath.Dir
	rotator *rotate.Rotator
}

// newRig makes one, two days ago as the rotator sees it.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "live")}
	ok(t, os.Mkdir(r.path, 0o755))
	root, err := beneath.Open(filepath.Dir(r.path))
	ok(t, err)
	t.Cleanup(func() { root.Close() })
	r.dir, err = root.OpenDir("live")
	ok(t, err)
	t.Cleanup(func() { r.dir.Close() })
	r.rotator = &rotate.Rotator{After: 24 * time.Hour, Now: func() time.Time { return time.Now().Add(48 * time.Hour) }}
	return r
}

// lines is the text of a log.
func lines() []byte { return bytes.Repeat([]byte("2026-11-24 INFO a line of a log\n"), 8000) }

func (r *rig) write(name string, content []byte) string {
	r.t.Helper()
	path := filepath.Join(r.path, name)
	ok(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
	ok(r.t, os.WriteFile(path, content, 0o640))
	ok(r.t, os.Chown(path, 1234, 5678))
	return path
}

func (r *rig) rotate() rotate.Report {
	r.t.Helper()
	report, err := r.rotator.Rotate(r.t.Context(), r.dir)
	ok(r.t, err)
	return report
}

// unpacked is what the system's zcat makes of a file.
func unpacked(t *testing.T, path string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "zcat", path).Output()
	if err != nil {
		t.Fatalf("zcat %s: %v", path, err)
	}
	return out
}

// names are the names in a folder.
func (r *rig) names() string {
	r.t.Helper()
	entries, err := os.ReadDir(r.path)
	ok(r.t, err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestAClosedOldFileIsCompressed(t *testing.T) {
	r := newRig(t)
	r.write("app.log.1", lines())
	r.write("sub/deeper/app.log", lines())
	before, err := os.Stat(r.path + "/app.log.1")
	ok(t, err)
	report := r.rotate()
	if report.Files != 2 || report.Kept != 0 || report.After*5 > report.Before {
		t.Errorf("report %+v", report)
	}
	for _, path := range []string{r.path + "/app.log.1.gz", r.path + "/sub/deeper/app.log.gz"} {
		if !bytes.Equal(unpacked(t, path), lines()) {
			t.Errorf("%s holds something else", path)
		}
	}
	var st unix.Stat_t
	ok(t, unix.Stat(r.path+"/app.log.1.gz", &st))
	if st.Mode&0o7777 != 0o640 || st.Uid != 1234 || st.Gid != 5678 || time.Unix(st.Mtim.Unix()).Unix() != before.ModTime().Unix() {
		t.Errorf("mode %o, owner %d:%d, time %v: not those of the original", st.Mode, st.Uid, st.Gid, st.Mtim)
	}
	if got := r.names(); got != "app.log.1.gz sub" {
		t.Errorf("the folder has %s", got)
	}
}

func TestWhatIsInDoubtIsLeftAlone(t *testing.T) {
	big := lines()
	tests := map[string]struct {
		plant func(r *rig)
		kept  string // why, for what is old enough to be looked at
	}{
		"small":              {func(r *rig) { r.write("f", big[:1000]) }, ""},
		"compressed already": {func(r *rig) { r.write("f.gz", big); r.write("f.ZST", big) }, ""},
		"young":              {func(r *rig) { r.write("f", big); r.rotator.Now = nil }, ""},
		"open for writing":   {func(r *rig) { r.hold(r.write("f", big), os.O_WRONLY|os.O_APPEND) }, "has it open"},
		"open for reading":   {func(r *rig) { r.hold(r.write("f", big), os.O_RDONLY) }, "has it open"},
		"of two names":       {func(r *rig) { ok(r.t, os.Link(r.write("f", big), r.path+"/g")) }, ""},
		"all but holes":      {func(r *rig) { ok(r.t, os.Truncate(r.write("f", nil), 1<<40)) }, ""},
		"its new name taken": {func(r *rig) { r.write("f", big); r.write("f.gz", []byte("mine")) }, "new name"},
		"no room": {func(r *rig) {
			r.write("f", big)
			r.rotator.Room = func(int64) error { return errors.New("91 % full") }
		}, "91 % full"},
		"a link":      {func(r *rig) { ok(r.t, os.Symlink("/etc/services", r.path+"/f")) }, ""},
		"a pipe":      {func(r *rig) { ok(r.t, unix.Mkfifo(r.path+"/f", 0o644)) }, ""},
		"too deep":    {func(r *rig) { r.write(strings.Repeat("d/", 20)+"f", big) }, ""},
		"a long name": {func(r *rig) { r.write(strings.Repeat("n", 254), big) }, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			tt.plant(r)
			before := r.names()
			report := r.rotate()
			if report.Files != 0 || r.names() != before {
				t.Errorf("compressed %d: %s became %s", report.Files, before, r.names())
			}
			if !strings.Contains(report.Reason, tt.kept) || (tt.kept == "") != (report.Kept == 0) {
				t.Errorf("kept %d, because %s; want %q", report.Kept, report.Reason, tt.kept)
			}
		})
	}
}

// hold keeps a file open in another process: our own would be no less seen, but
// an application is another.
func (r *rig) hold(path string, flags int) {
	r.t.Helper()
	file, err := os.OpenFile(path, flags, 0)
	ok(r.t, err)
	cmd := exec.Command("sleep", "60")
	cmd.ExtraFiles = []*os.File{file}
	ok(r.t, cmd.Start())
	ok(r.t, file.Close())
	r.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// Whoever wants the file meanwhile has it at once, and all of it.
func TestWhoOpensTheFileMeanwhileGetsIt(t *testing.T) {
	for _, step := range []string{"made", "copied", "both"} {
		t.Run(step, func(t *testing.T) {
			r := newRig(t)
			path := r.write("app.log", lines())
			var writer sync.WaitGroup
			r.rotator.Crash(func(at string) error {
				if at == step {
					writer.Go(func() {
						file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
						if err == nil {
							_, err = file.WriteString("one more line\n")
							err = errors.Join(err, file.Close())
						}
						if err != nil {
							t.Error(err)
						}
					})
					for began := time.Now(); !wanted(t, path); { // until the kernel has heard of it
						if time.Since(began) > 30*time.Second {
							t.Fatal("nobody waits for the file")
						}
					}
				}
				return nil
			})
			report := r.rotate()
			writer.Wait()
			if report.Files != 0 || r.names() != "app.log" {
				t.Errorf("compressed %d: the folder has %s", report.Files, r.names())
			}
			got, err := os.ReadFile(path)
			ok(t, err)
			if want := append(lines(), "one more line\n"...); !bytes.Equal(got, want) {
				t.Errorf("the file has %d bytes, want %d", len(got), len(want))
			}
		})
	}
}

// wanted reports whether somebody waits for a lease on the file to end.
func wanted(t *testing.T, path string) bool {
	t.Helper()
	locks, err := os.ReadFile("/proc/locks")
	ok(t, err)
	var st unix.Stat_t
	ok(t, unix.Stat(path, &st))
	for line := range strings.Lines(string(locks)) {
		if strings.Contains(line, "BREAKING") && strings.Contains(line, fmt.Sprintf(":%d ", st.Ino)) {
			return true
		}
	}
	return false
}

var errCrash = errors.New("crash")

// After a death at any step everything that was in the file is in the folder,
// and the next run cleans up.
func TestADeathAtAnyStepLosesNothing(t *testing.T) {
	for _, step := range []string{"made", "copied", "both", "aside"} {
		t.Run(step, func(t *testing.T) {
			r := newRig(t)
			r.write("app.log", lines())
			snapshot := filepath.Join(t.TempDir(), "crashed")
			r.rotator.Crash(func(at string) error {
				if at != step {
					return nil
				}
				// Links: to copy them would be to open them.
				if out, err := exec.CommandContext(t.Context(), "cp", "-al", r.path, snapshot).CombinedOutput(); err != nil {
					t.Errorf("cp: %v: %s", err, out)
				}
				return errCrash
			})
			_, _ = r.rotator.Rotate(t.Context(), r.dir)
			ok(t, os.RemoveAll(r.path))
			root, err := beneath.Open(filepath.Dir(snapshot))
			ok(t, err)
			defer root.Close()
			crashed, err := root.OpenDir("crashed")
			ok(t, err)
			defer crashed.Close()
			whole(t, snapshot)
			again := rotate.Rotator{After: 24 * time.Hour, Now: r.rotator.Now}
			_, err = again.Rotate(t.Context(), crashed)
			ok(t, err)
			whole(t, snapshot)
			if left, _ := filepath.Glob(snapshot + "/" + rotate.Ours + "*"); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// whole fails the test unless one file of a folder holds all the lines.
func whole(t *testing.T, path string) {
	t.Helper()
	files, err := filepath.Glob(path + "/app.log*")
	ok(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		ok(t, err)
		if strings.HasSuffix(file, ".gz") {
			content = unpacked(t, file)
		}
		if bytes.Equal(content, lines()) {
			return
		}
	}
	t.Errorf("the lines are gone: %q", files)
}

// J4: a tenant that exchanges the file for a link and for other files, as fast
// as it goes, loses none of them, and nothing outside changes.
func TestSwappedNamesLoseNothing(t *testing.T) {
	r := newRig(t)
	outside := filepath.Join(filepath.Dir(r.path), "outside")
	ok(t, os.WriteFile(outside, lines(), 0o600))
	ok(t, os.Symlink(outside, r.path+"/a link"))
	other := r.write("other", append(lines(), 'x'))
	var want unix.Stat_t
	ok(t, unix.Stat(other, &want))
	ctx, cancel := context.WithCancel(t.Context())
	var swapper sync.WaitGroup
	swapper.Go(func() {
		for ctx.Err() == nil {
			for _, with := range []string{"a link", "other"} {
				_ = unix.Renameat2(unix.AT_FDCWD, r.path+"/app.log", unix.AT_FDCWD, r.path+"/"+with, unix.RENAME_EXCHANGE)
				_ = unix.Renameat2(unix.AT_FDCWD, r.path+"/app.log", unix.AT_FDCWD, r.path+"/"+with, unix.RENAME_EXCHANGE)
			}
		}
	})
	for range 300 {
		_ = os.WriteFile(filepath.Join(r.path, "new"), lines(), 0o640)
		_ = unix.Renameat2(unix.AT_FDCWD, r.path+"/new", unix.AT_FDCWD, r.path+"/app.log", unix.RENAME_NOREPLACE)
		_, err := r.rotator.Rotate(t.Context(), r.dir)
		ok(t, err)
		for _, gz := range []string{"app.log.gz", "new.gz"} {
			if content, err := os.ReadFile(filepath.Join(r.path, gz)); err == nil {
				if len(content) == 0 {
					t.Fatalf("%s is empty", gz)
				}
				ok(t, os.Remove(filepath.Join(r.path, gz)))
			}
		}
	}
	cancel()
	swapper.Wait()
	if content, err := os.ReadFile(outside); err != nil || !bytes.Equal(content, lines()) {
		t.Errorf("the file outside: %d bytes, %v", len(content), err)
	}
	var st unix.Stat_t
	ok(t, unix.Stat(outside, &st))
	if st.Mode&0o7777 != 0o600 || st.Uid != 0 {
		t.Errorf("the file outside has mode %o and owner %d", st.Mode, st.Uid)
	}
}
