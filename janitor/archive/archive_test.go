package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berth-dev/berth/janitor/archive"
	"github.com/berth-dev/berth/janitor/beneath"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A rig is a log folder and a folder for archives.
type rig struct {
	t      *testing.T
	source string
	target string
	dir    *beneath.Dir
	folder *archive.Folder
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, source: filepath.Join(t.TempDir(), "source"), target: filepath.Join(t.TempDir(), "archives")}
	ok(t, os.Mkdir(r.source, 0o755))
	root, err := beneath.Open(filepath.Dir(r.source))
	ok(t, err)
	t.Cleanup(func() { root.Close() })
	r.dir, err = root.OpenDir("source")
	ok(t, err)
	t.Cleanup(func() { r.dir.Close() })
	r.folder, err = archive.Open(r.target)
	ok(t, err)
	return r
}

var meta = archive.Meta{Service: "orders", Container: "0123456789ab", Removed: time.Date(2026, 11, 24, 1, 2, 3, 0, time.UTC)}

func always(int64) error { return nil }

func (r *rig) save() archive.Saved {
	r.t.Helper()
	saved, err := r.folder.Save(r.t.Context(), r.dir, meta, always)
	ok(r.t, err)
	return saved
}

// write makes a file of the log folder.
func (r *rig) write(name string, content []byte) {
	r.t.Helper()
	path := filepath.Join(r.source, name)
	ok(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
	ok(r.t, os.WriteFile(path, content, 0o640))
}

// unpack lets the system's tar unpack an archive, and returns where.
func (r *rig) unpack(path string) string {
	r.t.Helper()
	into := r.t.TempDir()
	if out, err := exec.CommandContext(r.t.Context(), "tar", "-xzpf", path, "-C", into).CombinedOutput(); err != nil {
		r.t.Fatalf("tar: %v: %s", err, out)
	}
	return filepath.Join(into, meta.Container)
}

// tree is everything below a folder: kind, mode, owner, time in seconds, and
// content or target.
func tree(t *testing.T, top string) map[string]string {
	t.Helper()
	all := map[string]string{}
	ok(t, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		text := fmt.Sprintf("%v %d:%d", info.Mode(), st.Uid, st.Gid)
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %d %x", info.ModTime().Unix(), sha256.Sum256(content))
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text += " " + target
		}
		all[strings.TrimPrefix(path, top)] = text
		return nil
	}))
	return all
}

// nothingLeft fails the test if anything of an archive is there.
func (r *rig) nothingLeft() {
	r.t.Helper()
	left, err := filepath.Glob(filepath.Join(r.target, "*", "*"))
	ok(r.t, err)
	if len(left) > 0 {
		r.t.Errorf("left behind: %q", left)
	}
}

func TestTarUnpacksWhatWasSaved(t *testing.T) {
	r := newRig(t)
	r.write("app.log", bytes.Repeat([]byte("a line\n"), 100_000))
	r.write("empty", nil)
	r.write("sub/folder/"+strings.Repeat("n", 255), []byte("a long name"))
	r.write("new\nline \x1b[31m \xff\xfe", []byte("a name that is no text"))
	r.write("first", []byte("two names"))
	ok(t, os.Link(r.source+"/first", r.source+"/second"))
	ok(t, os.Symlink("/etc/passwd", r.source+"/link"))
	ok(t, os.Chmod(r.source+"/app.log", 0o600))
	ok(t, os.Chown(r.source+"/app.log", 1234, 5678))
	ok(t, os.Chtimes(r.source+"/app.log", time.Time{}, time.Unix(1_000_000_000, 0)))
	want := tree(t, r.source)

	saved := r.save()
	got := r.unpack(saved.Path)
	if diff := cmp.Diff(want, tree(t, got)); diff != "" {
		t.Errorf("-source +unpacked:\n%s", diff)
	}
	if inode(t, got+"/first") != inode(t, got+"/second") {
		t.Error("the two names are two files")
	}
	content, err := os.ReadFile(saved.Path)
	ok(t, err)
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != saved.SHA256 || int64(len(content)) != saved.Bytes {
		t.Errorf("%d bytes of sum %x, but it says %+v", len(content), sum, saved)
	}
	if saved.Files != 7 || saved.Skipped != 0 {
		t.Errorf("saved %+v", saved)
	}
	if want := r.target + "/orders/20261124T010203.000Z-0123456789ab.tar.gz"; saved.Path != want {
		t.Errorf("path %s, want %s", saved.Path, want)
	}
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	ok(t, unix.Lstat(path, &st))
	return st.Ino
}

// Tenants put anything into their folders. None of it blocks, is followed, or
// is opened if it is no file.
func TestWhatIsNoFileIsLeftOutAndReported(t *testing.T) {
	deep := strings.Repeat("d/", 120)
	tests := map[string]struct {
		plant  func(r *rig)
		reason string
	}{
		"a pipe":       {func(r *rig) { ok(t, unix.Mkfifo(r.source+"/app.log", 0o644)) }, `"0123456789ab/app.log": a pipe, socket or device`},
		"a device":     {func(r *rig) { ok(t, unix.Mknod(r.source+"/zero", unix.S_IFCHR|0o644, 1<<8|5)) }, `"0123456789ab/zero": a pipe, socket or device`},
		"a terabyte":   {func(r *rig) { r.write("core", nil); ok(t, os.Truncate(r.source+"/core", 1<<40)) }, `"0123456789ab/core": 1099511627776 bytes long, of which 0 are on disk: all but holes`},
		"a deep place": {func(r *rig) { r.write(deep+"app.log", nil) }, "deeper than 100 folders"},
		"a mount": {func(r *rig) {
			ok(t, os.Mkdir(r.source+"/mnt", 0o755))
			ok(t, unix.Mount("tmpfs", r.source+"/mnt", "tmpfs", 0, ""))
			r.t.Cleanup(func() { ok(r.t, unix.Unmount(r.source+"/mnt", 0)) })
		}, "mount"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			tt.plant(r)
			r.write("kept.log", []byte("a line\n"))
			saved := r.save()
			if saved.Skipped != 1 || !strings.Contains(saved.Reason, tt.reason) || saved.Files != 1 {
				t.Errorf("saved %+v, want one skipped: %s", saved, tt.reason)
			}
			if content, err := os.ReadFile(r.unpack(saved.Path) + "/kept.log"); err != nil || string(content) != "a line\n" {
				t.Errorf("kept.log: %q, %v", content, err)
			}
		})
	}
}

// J4: a name that becomes a link between two looks leads nowhere.
func TestAFileThatChangesIsSavedAsLongAsItWas(t *testing.T) {
	r := newRig(t)
	r.write("app.log", bytes.Repeat([]byte{'x'}, 8<<20))
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			default:
				_ = os.Truncate(r.source+"/app.log", 100)
				_ = os.Truncate(r.source+"/app.log", 8<<20)
			}
		}
	}()
	for range 20 {
		saved := r.save()
		r.unpack(saved.Path)
		ok(t, os.Remove(saved.Path))
	}
	close(done)
	<-stopped
}

func TestAnArchiveNeverFillsTheDisk(t *testing.T) {
	full := errors.New("the disk is at 85 %")
	tests := map[string]func(asked int64) error{
		"no room at the start": func(int64) error { return full },
		"no room while it is growing": func(bytes int64) error {
			if bytes == 0 {
				return full
			}
			return nil
		},
	}
	for name, room := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			noise := make([]byte, 32<<20)
			for i := range noise {
				noise[i] = byte(i * i >> 3 * i >> 5)
			}
			file, err := os.Open("/dev/urandom")
			ok(t, err)
			_, err = file.Read(noise)
			ok(t, errors.Join(err, file.Close()))
			r.write("app.log", noise)
			if _, err := r.folder.Save(t.Context(), r.dir, meta, room); !errors.Is(err, archive.ErrNoRoom) || !errors.Is(err, full) {
				t.Errorf("error %v, want no room because %v", err, full)
			}
			r.nothingLeft()
		})
	}
}

func TestWhatIsCutShortLeavesNothing(t *testing.T) {
	r := newRig(t)
	r.write("app.log", make([]byte, 1<<20))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.folder.Save(ctx, r.dir, meta, always); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	r.nothingLeft()

	ok(t, os.WriteFile(r.target+"/orders/x.tar.gz.part", []byte("half"), 0o600)) // as a crash leaves it
	_, err := archive.Open(r.target)
	ok(t, err)
	r.nothingLeft()
}

func TestAnArchiveIsNeverReplaced(t *testing.T) {
	r := newRig(t)
	first := r.save()
	if _, err := r.folder.Save(t.Context(), r.dir, meta, always); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want one that says that it exists", err)
	}
	if _, err := os.Stat(first.Path); err != nil {
		t.Error(err)
	}
}

func TestAFolderThatOthersCanWriteToIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(path string){
		"world-writable": func(path string) { ok(t, os.Chmod(path, 0o777)) },
		"another's":      func(path string) { ok(t, os.Chown(path, 1234, 1234)) },
		"a link":         func(path string) { ok(t, os.Remove(path)); ok(t, os.Symlink("/tmp", path)) },
		"a file":         func(path string) { ok(t, os.Remove(path)); ok(t, os.WriteFile(path, nil, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "archives")
			ok(t, os.Mkdir(path, 0o700))
			spoil(path)
			if _, err := archive.Open(path); err == nil {
				t.Error("it was taken")
			}
		})
	}
}

func FuzzWord(f *testing.F) {
	for _, s := range []string{"orders", "", "..", "../../etc", "a/b", "-rf", "\x00", "ä\n", strings.Repeat("x", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := archive.Word(s, "none")
		if got == "" || len(got) > 100 || strings.Trim(got, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" || got[0] == '.' || got[0] == '-' {
			t.Errorf("%q became %q", s, got)
		}
	})
}
